--
-- PostgreSQL database dump
--

\restrict uan8uFDa9uTNuOnSbWhVhaDAHITyJrzqGq4qRezex39z5aZLCLiA4Mja4sfTWyY

-- Dumped from database version 17.11 (Debian 17.11-0+deb13u1)
-- Dumped by pg_dump version 17.11 (Debian 17.11-0+deb13u1)

-- Started on 2026-11-21 04:33:10 UTC

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- TOC entry 6 (class 2615 OID 16388)
-- Name: Odd Schema; Type: SCHEMA; Schema: -; Owner: tester
--

CREATE SCHEMA "Odd Schema";


ALTER SCHEMA "Odd Schema" OWNER TO tester;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- TOC entry 219 (class 1259 OID 16396)
-- Name: täble; Type: TABLE; Schema: Odd Schema; Owner: tester
--

CREATE TABLE "Odd Schema"."täble" (
    id integer,
    body text
);


ALTER TABLE "Odd Schema"."täble" OWNER TO tester;

--
-- TOC entry 218 (class 1259 OID 16389)
-- Name: customers; Type: TABLE; Schema: public; Owner: tester
--

CREATE TABLE public.customers (
    id integer NOT NULL,
    name text NOT NULL,
    note text
);


ALTER TABLE public.customers OWNER TO tester;

--
-- TOC entry 3440 (class 0 OID 0)
-- Dependencies: 218
-- Name: TABLE customers; Type: COMMENT; Schema: public; Owner: tester
--

COMMENT ON TABLE public.customers IS 'who buys';


--
-- TOC entry 221 (class 1259 OID 16406)
-- Name: names; Type: VIEW; Schema: public; Owner: tester
--

CREATE VIEW public.names AS
 SELECT id,
    name
   FROM public.customers;


ALTER VIEW public.names OWNER TO tester;

--
-- TOC entry 220 (class 1259 OID 16401)
-- Name: nobody; Type: TABLE; Schema: public; Owner: tester
--

CREATE TABLE public.nobody (
    id integer,
    nothing text
);


ALTER TABLE public.nobody OWNER TO tester;

--
-- TOC entry 3433 (class 0 OID 16396)
-- Dependencies: 219
-- Data for Name: täble; Type: TABLE DATA; Schema: Odd Schema; Owner: tester
--

COPY "Odd Schema"."täble" (id, body) FROM stdin;
1	äöü€ 
2	äöü€ äöü€ 
3	äöü€ äöü€ äöü€ 
4	äöü€ äöü€ äöü€ äöü€ 
5	äöü€ äöü€ äöü€ äöü€ äöü€ 
6	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
7	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
8	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
9	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
10	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
11	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
12	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
13	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
14	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
15	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
16	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
17	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
18	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
19	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
20	
21	äöü€ 
22	äöü€ äöü€ 
23	äöü€ äöü€ äöü€ 
24	äöü€ äöü€ äöü€ äöü€ 
25	äöü€ äöü€ äöü€ äöü€ äöü€ 
26	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
27	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
28	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
29	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
30	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
31	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
32	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
33	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
34	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
35	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
36	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
37	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
38	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
39	äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ äöü€ 
40	
\.


--
-- TOC entry 3432 (class 0 OID 16389)
-- Dependencies: 218
-- Data for Name: customers; Type: TABLE DATA; Schema: public; Owner: tester
--

COPY public.customers (id, name, note) FROM stdin;
1	customer 1	c4ca4238a0b923820dcc509a6f75849b
2	customer 2	c81e728d9d4c2f636f067f89cc14862c
3	customer 3	\N
4	customer 4	a87ff679a2f3e71d9181a67b7542122c
5	customer 5	e4da3b7fbbce2345d7772b0674a318d5
6	customer 6	\N
7	customer 7	8f14e45fceea167a5a36dedd4bea2543
8	customer 8	c9f0f895fb98ab9159f51fd0297e236d
9	customer 9	\N
10	customer 10	d3d9446802a44259755d38e6d163e820
11	customer 11	6512bd43d9caa6e02c990b0a82652dca
12	customer 12	\N
13	customer 13	c51ce410c124a10e0db5e4b97fc2af39
14	customer 14	aab3238922bcc25a6f606eb525ffdc56
15	customer 15	\N
16	customer 16	c74d97b01eae257e44aa9d5bade97baf
17	customer 17	70efdf2ec9b086079795c442636b55fb
18	customer 18	\N
19	customer 19	1f0e3dad99908345f7439f8ffabdffc4
20	customer 20	98f13708210194c475687be6106a3b84
21	customer 21	\N
22	customer 22	b6d767d2f8ed5d21a44b0e5886680cb9
23	customer 23	37693cfc748049e45d87b8c7d8b9aacd
24	customer 24	\N
25	customer 25	8e296a067a37563370ded05f5a3bf3ec
26	customer 26	4e732ced3463d06de0ca9a15b6153677
27	customer 27	\N
28	customer 28	33e75ff09dd601bbe69f351039152189
29	customer 29	6ea9ab1baa0efb9e19094440c317e21b
30	customer 30	\N
31	customer 31	c16a5320fa475530d9583c34fd356ef5
32	customer 32	6364d3f0f495b6ab9dcf8d3b5c6e0b01
33	customer 33	\N
34	customer 34	e369853df766fa44e1ed0ff613f563bd
35	customer 35	1c383cd30b7c298ab50293adfecb7b18
36	customer 36	\N
37	customer 37	a5bfc9e07964f8dddeb95fc584cd965d
38	customer 38	a5771bce93e200c36f7cd9dfd0e5deaa
39	customer 39	\N
40	customer 40	d645920e395fedad7bbbed0eca3fe2e0
41	customer 41	3416a75f4cea9109507cacd8e2f2aefc
42	customer 42	\N
43	customer 43	17e62166fc8586dfa4d1bc0e1742c08b
44	customer 44	f7177163c833dff4b38fc8d2872f1ec6
45	customer 45	\N
46	customer 46	d9d4f495e875a2e075a1a4a6e1b9770f
47	customer 47	67c6a1e7ce56d3d6fa748ab6d9af3fd7
48	customer 48	\N
49	customer 49	f457c545a9ded88f18ecee47145a72c0
50	customer 50	c0c7c76d30bd3dcaefc96f40275bdc0a
51	customer 51	\N
52	customer 52	9a1158154dfa42caddbd0694a4e9bdc8
53	customer 53	d82c8d1619ad8176d665453cfb2e55f0
54	customer 54	\N
55	customer 55	b53b3a3d6ab90ce0268229151c9bde11
56	customer 56	9f61408e3afb633e50cdf1b20de6f466
57	customer 57	\N
58	customer 58	66f041e16a60928b05a7e228a89c3799
59	customer 59	093f65e080a295f8076b1c5722a46aa2
60	customer 60	\N
61	customer 61	7f39f8317fbdb1988ef4c628eba02591
62	customer 62	44f683a84163b3523afe57c2e008bc8c
63	customer 63	\N
64	customer 64	ea5d2f1c4608232e07d3aa3d998e5135
65	customer 65	fc490ca45c00b1249bbe3554a4fdf6fb
66	customer 66	\N
67	customer 67	735b90b4568125ed6c3f678819b6e058
68	customer 68	a3f390d88e4c41f2747bfa2f1b5f87db
69	customer 69	\N
70	customer 70	7cbbc409ec990f19c78c75bd1e06f215
71	customer 71	e2c420d928d4bf8ce0ff2ec19b371514
72	customer 72	\N
73	customer 73	d2ddea18f00665ce8623e36bd4e3c7c5
74	customer 74	ad61ab143223efbc24c7d2583be69251
75	customer 75	\N
76	customer 76	fbd7939d674997cdb4692d34de8633c4
77	customer 77	28dd2c7955ce926456240b2ff0100bde
78	customer 78	\N
79	customer 79	d1fe173d08e959397adf34b1d77e88d7
80	customer 80	f033ab37c30201f73f142449d037028d
81	customer 81	\N
82	customer 82	9778d5d219c5080b9a6a17bef029331c
83	customer 83	fe9fc289c3ff0af142b6d3bead98a923
84	customer 84	\N
85	customer 85	3ef815416f775098fe977004015c6193
86	customer 86	93db85ed909c13838ff95ccfa94cebd9
87	customer 87	\N
88	customer 88	2a38a4a9316c49e5a833517c45d31070
89	customer 89	7647966b7343c29048673252e490f736
90	customer 90	\N
91	customer 91	54229abfcfa5649e7003b83dd4755294
92	customer 92	92cc227532d17e56e07902b254dfad10
93	customer 93	\N
94	customer 94	f4b9ec30ad9f68f89b29639786cb62ef
95	customer 95	812b4ba287f5ee0bc9d43bbf5bbe87fb
96	customer 96	\N
97	customer 97	e2ef524fbf3d9fe611d5a8e90fefdc9c
98	customer 98	ed3d2c21991e3bef5e069713af9fa6ca
99	customer 99	\N
100	customer 100	f899139df5e1059396431415e770c6dd
101	customer 101	38b3eff8baf56627478ec76a704e9b52
102	customer 102	\N
103	customer 103	6974ce5ac660610b44d9b9fed0ff9548
104	customer 104	c9e1074f5b3f9fc8ea15d152add07294
105	customer 105	\N
106	customer 106	f0935e4cd5920aa6c7c996a5ee53a70f
107	customer 107	a97da629b098b75c294dffdc3e463904
108	customer 108	\N
109	customer 109	2723d092b63885e0d7c260cc007e8b9d
110	customer 110	5f93f983524def3dca464469d2cf9f3e
111	customer 111	\N
112	customer 112	7f6ffaa6bb0b408017b62254211691b5
113	customer 113	73278a4a86960eeb576a8fd4c9ec6997
114	customer 114	\N
115	customer 115	2b44928ae11fb9384c4cf38708677c48
116	customer 116	c45147dee729311ef5b5c3003946c48f
117	customer 117	\N
118	customer 118	5ef059938ba799aaa845e1c2e8a762bd
119	customer 119	07e1cd7dca89a1678042477183b7ac3f
120	customer 120	\N
\.


--
-- TOC entry 3434 (class 0 OID 16401)
-- Dependencies: 220
-- Data for Name: nobody; Type: TABLE DATA; Schema: public; Owner: tester
--

COPY public.nobody (id, nothing) FROM stdin;
\.


--
-- TOC entry 3285 (class 2606 OID 16395)
-- Name: customers customers_pkey; Type: CONSTRAINT; Schema: public; Owner: tester
--

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);


--
-- TOC entry 3441 (class 0 OID 0)
-- Dependencies: 218
-- Name: TABLE customers; Type: ACL; Schema: public; Owner: tester
--

GRANT SELECT ON TABLE public.customers TO clerk;


-- Completed on 2026-11-21 04:33:10 UTC

--
-- PostgreSQL database dump complete
--

\unrestrict uan8uFDa9uTNuOnSbWhVhaDAHITyJrzqGq4qRezex39z5aZLCLiA4Mja4sfTWyY

