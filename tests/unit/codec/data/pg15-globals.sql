--
-- PostgreSQL database cluster dump
--

\restrict 21GiZCoHyIHkAw36ekANYlcqnI7SfsWdcXxSCRq4QV9zjNVbr2qiveB5WdmsXJ0

SET default_transaction_read_only = off;

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

--
-- Roles
--

CREATE ROLE clerk;
ALTER ROLE clerk WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION NOBYPASSRLS;
CREATE ROLE tester;
ALTER ROLE tester WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;

--
-- User Configurations
--








\unrestrict 21GiZCoHyIHkAw36ekANYlcqnI7SfsWdcXxSCRq4QV9zjNVbr2qiveB5WdmsXJ0

--
-- PostgreSQL database cluster dump complete
--

