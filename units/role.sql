-- The role of the backup daemon: reads everything, changes nothing, and logs in by the Unix socket as the account pgbakd
-- (peer authentication, as Debian sets servers up). PostgreSQL 14 and later. As a superuser, and as often as you like:
--
--     sudo -u postgres psql -f /usr/share/pgbakd/role.sql
\set ON_ERROR_STOP on
SELECT 'CREATE ROLE pgbakd LOGIN' WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pgbakd') \gexec
GRANT pg_read_all_data TO pgbakd;
-- Large objects, which pg_read_all_data does not cover: those of tomorrow too. (It would let the role change them as well;
-- pg_dump reads in a read-only transaction.)
ALTER ROLE pgbakd SET lo_compat_privileges = on;
-- Where base backups are wanted (type: pg_basebackup), this too, and a line of pg_hba.conf:
--     ALTER ROLE pgbakd REPLICATION;
--     local  replication  pgbakd  peer
