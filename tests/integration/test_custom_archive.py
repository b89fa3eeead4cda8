"""Custom archives, which are compressed by us on all processors: they are what pg_dump itself would have written."""

from __future__ import annotations

import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.cases import ServerCase
from support.daemon import config_for
from support.postgres import PostgresServer

CTEST = {"timeout": 300}

# A table of several pieces, some of one, empty ones, and large objects of none, few and many bytes.
TABLES = """
create table line(id bigint primary key, note text, noise text);
insert into line select i, 'order ' || i || ' of ' || md5((i % 500)::text), encode(sha256(i::text::bytea), 'base64')
    from generate_series(1, 60000) i;
create table small(id int, body text);
insert into small select i, repeat('x', i) from generate_series(0, 50) i;
create table empty();
create table never(i int);
create table photo(id int primary key, content oid);
insert into photo select i, lo_from_bytea(0, repeat('photo ' || i, i * 700)::bytea) from generate_series(0, 40) i;
insert into photo select 100, lo_from_bytea(0, decode(string_agg(md5(i::text), ''), 'hex')) from generate_series(1, 150000) i;
create view lines as select count(*) from line;
"""
CONTENT = """select (select md5(string_agg(l::text, E'\\n' order by id)) from line l),
    (select md5(string_agg(s::text, E'\\n' order by id)) from small s), (select count(*) from empty), (select count(*) from never),
    (select md5(string_agg(id || md5(lo_get(content)), E'\\n' order by id)) from photo)"""


class CustomArchives(ServerCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server.createdb("shop")
        cls.server.sql(TABLES, "shop")

    def output(self, program: str, *arguments: str) -> str:
        """Without what no two of its runs have in common."""
        text = self.server.program(program, *arguments).check().out
        text = re.sub(r"(?m)^\\\\?(un)?restrict .*\n", "", text)
        return re.sub(r"(?m)^; *(Archive created at|Dumped from|Dumped by).*\n", "", text)

    def test_pg_restore_finds_in_them_what_it_finds_in_pg_dumps_own(self) -> None:
        source = {"type": "pg_dump", "server": "local", "databases": ["shop"]}
        jobs = {f"gzip-{level}": {"source": source, "compression": f"gzip:{level}"} for level in (1, 6, 9)}
        daemon = self.start_daemon(jobs)
        stock = self.server.directory / "stock.dump"
        for level in (1, 6, 9):
            with self.subTest(level=level):
                report = daemon.run(f"gzip-{level}")
                self.assertEqual((report["status"], report["notes"]), ("SUCCESS", []), report)
                artifact = report["artifacts"][0]
                self.assertEqual(daemon.ctl("verify", report["set"]).code, 0)
                ours = str(daemon.set_directory(report["set"]) / artifact["file"])
                self.server.program("pg_dump", "-Fc", f"-Z{level}", "-f", str(stock), "shop").check()
                self.assertEqual(self.output("pg_restore", "-l", ours), self.output("pg_restore", "-l", str(stock)))
                self.assertEqual(self.output("pg_restore", "-f", "-", ours), self.output("pg_restore", "-f", "-", str(stock)))
                # Selectively, which looks for the data of one entry among the others'.
                for options in (["-t", "photo"], ["-a", "-t", "small"], ["-a", "-t", "line"]):
                    self.assertEqual(self.output("pg_restore", *options, "-f", "-", ours),
                                     self.output("pg_restore", *options, "-f", "-", str(stock)))
                self.assertLessEqual(Path(ours).stat().st_size, stock.stat().st_size)
        with PostgresServer() as other:
            other.createdb("shop")
            other.program("pg_restore", "--exit-on-error", "-j2", "-d", "shop", ours).check()
            self.assertEqual(other.sql(CONTENT, "shop"), self.server.sql(CONTENT, "shop"))

    def test_an_archive_of_a_version_that_is_not_known_is_compressed_by_pg_dump_and_a_line_says_so(self) -> None:
        config = config_for(self.server, jobs={"job": {"source": {"type": "pg_dump", "server": "local", "databases": ["shop"]}}})
        daemon = self.new_daemon(config)
        programs = daemon.directory / "bin"
        programs.mkdir()
        for name in ("pg_dump", "pg_dumpall"):
            program = programs / name
            program.write_text(f'#!/bin/bash\ncase "$1" in --version) echo "{name} (PostgreSQL) 29.1"; exit;; esac\n'
                               f'echo "$@" > {daemon.directory}/arguments\nexec {self.server.bin / name} "$@"\n', encoding="utf-8")  # fmt: skip
            program.chmod(0o755)
        config["servers"]["local"]["client"] = {"bin": str(programs)}
        daemon.write_config(config)
        report = daemon.start().run("job")
        self.assertEqual(report["status"], "SUCCESS", report)
        self.assertIn("pg_dump 29 writes archives of a version that is not known here, and compresses them itself", report["notes"])
        self.assertIn("--compress=6", (daemon.directory / "arguments").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
