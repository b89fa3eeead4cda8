"""The pages of S3 providers against the profiles they describe."""

from __future__ import annotations

import json
import os
import re
import unittest
from pathlib import Path

from support.rgw import policy

TOP = Path(os.environ["PGBAKD_SOURCE_DIR"])
PAGES = TOP / "docs/targets"


def policies(page: str) -> list[dict[str, object]]:
    found = re.findall(r"^```json\n(.*?)^```$", (PAGES / page).read_text(encoding="utf-8"), re.M | re.S)
    return [value for value in map(json.loads, found) if {"Statement", "statement"} & set(value)]


def actions(document: dict[str, object], user: str = "") -> list[set[str]]:
    statements = document["Statement"]
    assert isinstance(statements, list)
    return [set(one["Action"]) for one in statements if user in str(one.get("Principal", ""))]


class Targets(unittest.TestCase):
    def test_every_provider_has_a_page(self) -> None:
        source = (TOP / "lib/target/s3_profile.cpp").read_text(encoding="utf-8")
        names = re.findall(r'\{Provider::\w+,\s*"(\w+)"', source)
        self.assertGreater(len(names), 5)
        index = (PAGES / "README.md").read_text(encoding="utf-8")
        for name in names:
            page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
            self.assertIn(f"`provider: {name}`", page)
            self.assertIn("**Sources.**", page)
            self.assertIn(f"[{name}]({name}.md)", index)

    def test_links_lead_to_files(self) -> None:
        for page in PAGES.glob("*.md"):
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
                self.assertTrue((PAGES / target).exists(), f"{page.name}: {target}")

    def test_the_least_policy_shown_is_the_one_that_the_tests_run_with(self) -> None:
        wanted = actions(policy(), "tester")
        for page in ("aws.md", "minio.md"):
            self.assertEqual([actions(document) for document in policies(page)], [wanted], page)

    def test_every_policy_shown_is_json(self) -> None:
        for page in ("oss.md", "cos.md"):
            self.assertEqual(len(policies(page)), 1, page)
