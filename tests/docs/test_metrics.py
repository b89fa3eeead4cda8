"""The documents about metrics against the metrics: names, alert rules, the dashboard; promtool is the judge of expressions."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

import yaml

TOP = Path(os.environ["PGBAKD_SOURCE_DIR"])
DASHBOARD = TOP / "docs/grafana-dashboard.json"


def kinds() -> dict[str, tuple[str, str]]:
    """Name: type and help, as lib/service/metrics.cpp has them."""
    text = (TOP / "lib/service/metrics.cpp").read_text(encoding="utf-8")
    found = re.findall(r'constexpr MetricKind \w+\{\s*"(\w+)",\s*"(\w+)",\s*((?:"[^"]*"\s*)+)\}', text)
    return {name: (kind, "".join(re.findall(r'"([^"]*)"', words))) for name, kind, words in found}


def dashboard_expressions() -> list[str]:
    content: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return [target["expr"] for panel in content["panels"] for target in panel["targets"]]


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, cwd=TOP / "docs")


class Metrics(unittest.TestCase):
    def setUp(self) -> None:
        self.known = kinds()
        self.assertGreater(len(self.known), 15)

    def need_promtool(self) -> None:
        if not shutil.which("promtool"):
            self.skipTest("promtool (package prometheus) is not installed")

    def test_the_document_lists_every_metric_with_its_type_and_no_other(self) -> None:
        text = (TOP / "docs/metrics.md").read_text(encoding="utf-8")
        listed = dict(re.findall(r"^\| `(pgbakd_\w+)` \| (\w+) \|", text, re.M))
        self.assertEqual(listed, {name: kind for name, (kind, _) in self.known.items()})

    def test_rules_and_dashboard_name_metrics_that_exist(self) -> None:
        rules = yaml.safe_load((TOP / "docs/alert-rules.yaml").read_text(encoding="utf-8"))
        expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]] + dashboard_expressions()
        self.assertGreater(len(expressions), 20)
        for expression in expressions:
            named = set(re.findall(r"\bpgbakd_\w+", expression))
            self.assertLessEqual(named, set(self.known), expression)
            self.assertTrue(named or "up{" in expression, expression)
        shown = set(re.findall(r"\bpgbakd_\w+", " ".join(dashboard_expressions())))
        self.assertEqual(set(self.known) - shown, set(), "the dashboard shows every metric")

    def test_variables_of_the_dashboard_are_those_its_expressions_use(self) -> None:
        content = json.loads(DASHBOARD.read_text(encoding="utf-8"))
        names = {variable["name"] for variable in content["templating"]["list"]}
        used = {name for expression in dashboard_expressions() for name in re.findall(r"\$(\w+)", expression)}
        self.assertEqual(used, names - {"datasource"})
        for variable in content["templating"]["list"]:
            for name in re.findall(r"\bpgbakd_\w+", json.dumps(variable.get("query"))):
                self.assertIn(name, self.known)
        self.assertEqual(len({panel["id"] for panel in content["panels"]}), len(content["panels"]))

    def test_promtool_accepts_every_expression_of_the_dashboard(self) -> None:
        self.need_promtool()
        rules = [{"record": f"x:{number}", "expr": re.sub(r"\$\w+", ".*", expression)} for number, expression in enumerate(dashboard_expressions())]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
            file.flush()
            done = promtool("check", "rules", file.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"{len(rules)} rules found", done.stdout + done.stderr)

    def test_promtool_accepts_the_alert_rules_and_they_fire_when_they_should(self) -> None:
        self.need_promtool()
        done = promtool("check", "rules", "alert-rules.yaml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = promtool("test", "rules", "alert-rules-test.yaml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_alert_rule_is_tested(self) -> None:
        rules = yaml.safe_load((TOP / "docs/alert-rules.yaml").read_text(encoding="utf-8"))
        tests = yaml.safe_load((TOP / "docs/alert-rules-test.yaml").read_text(encoding="utf-8"))
        fired = {rule["alertname"] for test in tests["tests"] for rule in test["alert_rule_test"] if rule["exp_alerts"]}
        self.assertEqual(fired, {rule["alert"] for group in rules["groups"] for rule in group["rules"]})


if __name__ == "__main__":
    unittest.main()
