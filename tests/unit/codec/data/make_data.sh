#!/bin/bash
# Makes the archives in this folder with real PostgreSQL programs: make_data.sh BINDIR PREFIX (as an ordinary user).
# BINDIR holds initdb, pg_ctl, pg_dump …; PREFIX names the files, e.g. "pg15" or "pg17". They are checked in, so that
# the unit tests need no server; run this again only to add a version.
set -euo pipefail
bin=$1 prefix=$2 out=$(cd "$(dirname "$0")" && pwd)
out=${3:-$out}
work=$(mktemp -d)
trap '"$bin/pg_ctl" -D "$work/db" -m immediate stop >/dev/null 2>&1 || :; rm -rf "$work"' EXIT
export PGHOST=$work PGUSER=tester PGTZ=UTC TZ=UTC LC_ALL=C
"$bin/initdb" -D "$work/db" -U tester -E UTF8 --locale=C -A trust >/dev/null
"$bin/pg_ctl" -D "$work/db" -w -o "-k $work -c listen_addresses='' -c fsync=off" -l "$work/log" start >/dev/null
psql() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 "$@"; }

psql -d postgres -c 'CREATE DATABASE empty' -c 'CREATE DATABASE tiny' -c 'CREATE DATABASE shop' -c 'CREATE ROLE clerk'
psql -d shop <<'SQL'
CREATE SCHEMA "Odd Schema";
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, note text);
CREATE TABLE "Odd Schema"."täble" (id int, body text);
CREATE TABLE nobody (id int, nothing text);
CREATE VIEW names AS SELECT id, name FROM customers;
INSERT INTO customers SELECT i, 'customer ' || i, CASE WHEN i % 3 = 0 THEN NULL ELSE md5(i::text) END FROM generate_series(1, 120) i;
INSERT INTO "Odd Schema"."täble" SELECT i, repeat('äöü€ ', i % 20) FROM generate_series(1, 40) i;
GRANT SELECT ON customers TO clerk;
COMMENT ON TABLE customers IS 'who buys';
SQL
psql -d tiny -c 'CREATE TABLE t (a text)' -c "INSERT INTO t VALUES ('one'), ('two'), ('one and two')" -c "SELECT lo_from_bytea(1, 'x')"
"$bin/pg_dump" -Fc -d tiny | cat >"$out/$prefix-tiny.dump" # small enough to damage in every possible way
"$bin/pg_dump" -Fc -d empty | cat >"$out/$prefix-empty.dump"
"$bin/pg_dump" -Fc -Z0 -d shop | cat >"$out/$prefix-Z0.dump"
"$bin/pg_dump" -Fc -Z6 -d shop | cat >"$out/$prefix-Z6.dump"
"$bin/pg_dump" -Fc -Z9 -d shop | cat >"$out/$prefix-Z9.dump"
"$bin/pg_dump" -Fc -f "$out/$prefix-seekable.dump" -d shop # the table of contents knows where the data begins
"$bin/pg_dump" -Fc -s -d shop | cat >"$out/$prefix-schema.dump"
"$bin/pg_dump" -d shop >"$out/$prefix-plain.sql"
"$bin/pg_dump" -v -d shop >"$out/$prefix-verbose.sql" 2>/dev/null
"$bin/pg_dumpall" --globals-only >"$out/$prefix-globals.sql"

psql -d shop <<'SQL'
SELECT lo_from_bytea(50001, convert_to(repeat('large object ', 300), 'UTF8'));
SELECT lo_from_bytea(50002, ''::bytea);
SELECT lo_from_bytea(4000000000, decode(md5('x'), 'hex'));
SQL
# Since version 16 pg_dump opens its standard output for appending: when that is a file, the second table of contents,
# the one with the offsets, lands at the end instead of over the first.
"$bin/pg_dump" -Fc -d shop >"$out/$prefix-redirected.dump"
tarred() { tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --format=ustar -cf "$2" "$1"; }
algorithms=(6)
if [[ $("$bin/pg_dump" --help) == *METHOD* ]]; then algorithms+=(zstd lz4); fi
for z in 0 "${algorithms[@]}"; do
    "$bin/pg_dump" -Fc -Z "$z" -d shop | cat >"$out/$prefix-blobs-$z.dump"
    "$bin/pg_dump" -Fd -Z "$z" -d shop -f "$work/shop"
    tarred shop "$out/$prefix-$z.dir.tar"
    rm -rf "$work/shop"
done
