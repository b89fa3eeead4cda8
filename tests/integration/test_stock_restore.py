"""A set restored by its manifest's own commands is the database it was, its properties included."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import stock
from support.cases import ServerCase
from support.postgres import PostgresServer

CTEST = {"timeout": 300}

FORMATS = ("custom", "plain", "directory")
HOSTILE = "o'dd \"name\"; $(touch x) `y` \\ %41"

PROPERTIES = """
select d.datname, pg_encoding_to_char(d.encoding), to_jsonb(d) ->> 'datlocprovider', d.datcollate, d.datctype,
    coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'), to_jsonb(d) ->> 'daticurules',
    pg_get_userbyid(d.datdba), d.datconnlimit, d.datistemplate, shobj_description(d.oid, 'pg_database'),
    (select array_agg(a::text order by a::text) from unnest(d.datacl) a),
    (select array_agg(coalesce(r.rolname, '') || '|' || s.setconfig::text order by r.rolname nulls first)
        from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole where s.setdatabase = d.oid)
from pg_database d where d.datname = {name}"""


class Properties(ServerCase):
    """Databases that CREATE DATABASE alone does not bring back."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        sql = cls.server.sql
        quoted = '"' + HOSTILE.replace('"', '""') + '"'
        sql(
            f"create role {quoted}; create role app login; create role reader login;"
            "create database mixed template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8';"
            "create database latin template template0 encoding 'LATIN1' locale 'C';"
            f"create database {quoted} template template0 owner {quoted} connection limit 7;"
        )
        cls.names = ["mixed", "latin", HOSTILE]
        if cls.server.major() >= 15:
            sql("create database icu template template0 locale_provider icu icu_locale 'de-DE' locale 'C.UTF-8' owner app")
            cls.names.append("icu")
        sql(
            f"alter database {quoted} set search_path to \"$user\", public, 'it''s, \"odd\"';"
            f"alter database {quoted} set \"my.setting\" to 'it''s $(touch x) \\ ';"
            f"alter database {quoted} set datestyle to 'German, DMY';"
            f"alter role app in database {quoted} set work_mem to '8MB';"
            f"alter role {quoted} in database {quoted} set search_path to '';"
            f"comment on database {quoted} is 'it''s\na \"comment\" $(touch x)';"
            f"revoke all on database {quoted} from public;"
            f"grant connect, temporary on database {quoted} to app with grant option;"
            f"set session authorization app; grant connect on database {quoted} to reader; reset session authorization;"
            "alter database latin set default_transaction_read_only to on;"
            "revoke create, connect on database mixed from public; revoke all on database mixed from current_user;"
            "alter database postgres set statement_timeout to '1h'; grant create on database postgres to app"
        )
        for name in cls.names:
            sql("set default_transaction_read_only to off; begin read write; create table t as select 42 i; commit", name)

    def properties(self, server: PostgresServer, name: str) -> str:
        return server.sql(PROPERTIES.format(name="'" + name.replace("'", "''") + "'"))

    def test_a_database_comes_back_with_all_that_was_said_of_it(self) -> None:
        names = [*self.names, "postgres"]
        source: dict[str, Any] = {"type": "pg_dump", "server": "local", "databases": names, "globals": True}
        daemon = self.start_daemon({form: {"source": {**source, "format": form}} for form in FORMATS})
        for form in FORMATS:
            report = daemon.run(form)
            self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), report)
            with stock.restore(self, daemon, report["set"]) as other:
                for name in names:
                    with self.subTest(format=form, database=name):
                        self.assertEqual(self.properties(other, name), self.properties(self.server, name))
                        if name != "postgres":
                            self.assertEqual(other.sql("select i from t", name), "42")
        self.assertEqual(list(Path(daemon.directory).rglob("x")), [])

    def test_the_manifest_tells_them_with_or_without_a_fingerprint(self) -> None:
        source = {"type": "pg_dump", "server": "local", "databases": [HOSTILE], "format": "plain"}
        jobs = {kind: {"source": {**source, "fingerprint": kind}} for kind in ("none", "counts")}
        daemon = self.start_daemon(jobs)
        for job in jobs:
            with self.subTest(job):
                facts = daemon.manifest(daemon.run(job)["set"])["databases"][0]
                self.assertEqual(facts["fingerprint"] is None, job == "none")
                found = facts["properties"]
                self.assertEqual((found["owner"], found["connection_limit"], found["collate"]), (HOSTILE, 7, "C.UTF-8"))
                self.assertIn({"role": "app", "name": "work_mem", "value": "8MB"}, found["settings"])
                self.assertIn(
                    {"grantor": "app", "grantee": "reader", "privilege": "CONNECT", "grantable": False}, found["privileges"]
                )

    def test_what_the_options_leave_out_is_left_out(self) -> None:
        """Into a server without the roles: no globals were saved."""
        options = ["-xO", "--no-comments"]
        source = {"type": "pg_dump", "server": "local", "databases": ["mixed"], "format": "plain", "options": options}
        daemon = self.start_daemon({"job": {"source": source}})
        with stock.restore(self, daemon, daemon.run("job")["set"]) as other:
            self.assertEqual(other.sql("select i from t", "mixed"), "42")
            self.assertEqual(other.sql("select datacl is null from pg_database where datname = 'mixed'"), "t")


if __name__ == "__main__":
    unittest.main()
