"""What a set brings back beside rows: roles, owners, privileges, schemas and extensions, by its own stock commands."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import Daemon
from support.postgres import PostgresServer
from support.process import Outcome, run

CTEST = {"timeout": 600}
# What people find missing after a restore: each as one text per database.
QUESTIONS = {
    "extensions": "select extname, extversion, nspname from pg_extension e join pg_namespace n on n.oid = extnamespace order by 1",
    "owners": "select relname, relkind, rolname from pg_class c join pg_roles r on r.oid = relowner "
              "where relnamespace in (select oid from pg_namespace where nspname in ('public', 'sales')) order by 1, 2",
    "schemas": "select nspname, rolname, nspacl from pg_namespace n join pg_roles r on r.oid = nspowner "
               "where nspname in ('public', 'sales') order by 1",
    "privileges": "select relname, relacl from pg_class where relacl is not null and relnamespace = 'sales'::regnamespace order by 1",
    "database owner": "select rolname from pg_database d join pg_roles r on r.oid = datdba where datname = current_database()",
    "words": "select word from sales.words order by 1",
}  # fmt: skip
ROLES = ("select rolname, rolcanlogin, rolpassword is not null from pg_authid where rolname like 'shop%' order by 1",
         "select roleid::regrole, member::regrole from pg_auth_members where member::regrole::text like 'shop%' order by 1, 2")  # fmt: skip


class Restore(ServerCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server.sql(
            "create role shop_owner login password 'of the owner'; create role shop_readers; "
            "create role shop_clerk login; grant shop_readers to shop_clerk"
        )
        for database in ("shop", "outlet"):
            cls.server.createdb(database, owner="shop_owner")
            cls.server.sql(
                "create extension citext; create extension pg_trgm; create schema sales authorization shop_owner; "
                "create extension hstore schema sales; "
                # As hardened installations have it.
                "alter schema public owner to shop_owner; revoke all on schema public from public; "
                "grant usage on schema public, sales to shop_readers; "
                "create table sales.words(word citext primary key, facts sales.hstore); "
                "create index on sales.words using gin ((word::text) public.gin_trgm_ops); "
                "insert into sales.words values ('Apple', 'a=>1'), ('pear', null); "
                "create view sales.fruit as select word from sales.words; create sequence sales.numbers; "
                "alter table sales.words owner to shop_owner; alter view sales.fruit owner to shop_owner; "
                "alter sequence sales.numbers owner to shop_owner; grant select on sales.words to shop_readers",
                database,
            )

    def dump(self, source: dict[str, Any]) -> tuple[Daemon, str]:
        whole = {"type": "pg_dump", "server": "local", "databases": ["shop", "outlet"], "globals": True, **source}
        daemon = self.start_daemon({"job": {"source": whole}})
        report = daemon.run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        return daemon, report["set"]

    def stock_restore(self, daemon: Daemon, name: str, other: PostgresServer) -> list[tuple[str, Outcome]]:
        """The commands of the manifest, in order, by nobody else's means; up to the first that fails."""
        environment = other.environment()
        environment.pop("PGDATABASE")
        environment["PATH"] = f"{other.bin}:/usr/bin:/bin"
        done: list[tuple[str, Outcome]] = []
        for command in daemon.manifest(name)["stock_restore"]:
            ended = run(["/bin/sh", "-c", command], daemon.account, environment=environment, directory=daemon.set_directory(name))
            done.append((command, ended))
            if ended.code != 0:
                break
        return done

    def fresh_server(self) -> PostgresServer:
        other = PostgresServer()
        self.addCleanup(other.close)
        return other.start()

    def test_extensions_schemas_owners_privileges_and_roles_come_back(self) -> None:
        for source in ({}, {"format": "plain"}, {"format": "directory"}):
            with self.subTest(source=source):
                daemon, name = self.dump(source)
                manifest = daemon.manifest(name)
                for facts in manifest["databases"]:
                    listed = [text.split()[0] for text in facts["extensions"]]
                    self.assertEqual(sorted(listed), ["citext", "hstore", "pg_trgm", "plpgsql"])
                # Roles before what they own, and every file of the set in the order.
                order = manifest["restore_order"]
                self.assertTrue(order[0].startswith("globals_"), order)
                self.assertEqual(sorted(order), sorted(artifact["file"] for artifact in manifest["artifacts"]))
                commands = manifest["stock_restore"]
                places = [next(i for i, command in enumerate(commands) if file.removesuffix(".tar") in command) for file in order]
                self.assertEqual(places, sorted(places), commands)

                other = self.fresh_server()
                for command, ended in self.stock_restore(daemon, name, other):
                    self.assertEqual(ended.code, 0, f"{command}: {ended.err}")
                for question in ROLES:
                    self.assertEqual(other.sql(question), self.server.sql(question))
                for database in ("shop", "outlet"):
                    for what, question in QUESTIONS.items():
                        self.assertEqual(other.sql(question, database), self.server.sql(question, database), (database, what))
                # And the privileges are of use: who may only read does read, through the extension's operator.
                found = other.sql("select word from sales.words where word = 'APPLE'", "shop", role="shop_clerk")
                self.assertEqual(found, "Apple")

    def test_a_restore_that_meets_an_obstacle_ends_there_and_names_it(self) -> None:
        for source in ({}, {"format": "plain"}):
            with self.subTest(source=source):
                daemon, name = self.dump(source)
                other = self.fresh_server()
                # Of these, one is there already; the other database is not even begun.
                first = daemon.manifest(name)["databases"][0]["database"]
                other.createdb(first)
                *_, (command, ended) = self.stock_restore(daemon, name, other)
                self.assertNotEqual(ended.code, 0, command)
                self.assertIn(first, ended.err)
                self.assertIn("already exists", ended.err)
                self.assertEqual(other.databases(), sorted([first, "postgres"]))


if __name__ == "__main__":
    unittest.main()
