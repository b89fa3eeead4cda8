--
-- PostgreSQL database cluster dump
--

\restrict mnRexVsS7oxVGuHL4gnyhxE0wOT3E5M8eFgJlpb3IegxVVpT33saveIzEcdV1bz

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








\unrestrict mnRexVsS7oxVGuHL4gnyhxE0wOT3E5M8eFgJlpb3IegxVVpT33saveIzEcdV1bz

--
-- PostgreSQL database cluster dump complete
--

