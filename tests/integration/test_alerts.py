"""Are the shipped rules right? promtool's unit tests, the Kubernetes copy, the runbooks, the names they query."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus/rules.yaml"
TESTS = ROOT / "deploy/prometheus/rules.test.yaml"


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def alerts():
    return [rule for rule in rules() if "alert" in rule]


def promtool(*args):
    binary = shutil.which("promtool")
    assert binary, "promtool is missing: script/setup test installs it"
    return subprocess.run([binary, *map(str, args)], capture_output=True, text=True, timeout=120)


def test_promtool_accepts_the_rules_and_their_unit_tests():
    for ran in (promtool("check", "rules", RULES), promtool("test", "rules", TESTS)):
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("old, new", [("> 0.05 and", "> 0.5 and"), ("> 0.2 and", "> 0.9 and"), ("> 0.1 and", "> 0.9 and"),
                                      ("* 0.005", "* 0.5"), ("[30m])) > 5", "[30m])) > 99"), ("unless", "and")])
def test_the_unit_tests_notice_a_changed_rule(tmp_path, old, new):
    text = RULES.read_text()
    assert old in text
    (tmp_path / "rules.yaml").write_text(text.replace(old, new))
    (tmp_path / "rules.test.yaml").write_text(TESTS.read_text())
    assert promtool("test", "rules", tmp_path / "rules.test.yaml").returncode != 0


def test_every_alert_is_unit_tested_and_has_a_runbook_that_names_it():
    tested = TESTS.read_text()
    for alert in alerts():
        assert f"alertname: {alert['alert']}" in tested
        page = ROOT / alert["annotations"]["runbook"]
        assert alert["alert"] in page.read_text().splitlines()[0]
        assert alert["labels"]["severity"] in ("critical", "warning")
    assert {p.name for p in (ROOT / "docs/runbooks").iterdir()} == {Path(a["annotations"]["runbook"]).name for a in alerts()}


def test_the_kubernetes_object_carries_the_same_groups():
    document = yaml.safe_load((ROOT / "deploy/k8s/prometheusrule.yaml").read_text())
    assert document["spec"]["groups"] == yaml.safe_load(RULES.read_text())["groups"]
    assert document["metadata"]["labels"]["release"] == "kube-prometheus-stack"


def test_every_queried_metric_and_label_exists():
    reference = (ROOT / "docs/metrics-reference.md").read_text()
    families = {name: set(re.findall(r"`(\w+)`", labels))
                for name, labels in re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]*) \|", reference, re.M)}
    seen = 0
    for rule in rules():
        for name, matchers in re.findall(r"\b(litellm_\w+)(?:\{([^}]*)\})?", rule["expr"]):
            family = re.sub(r"_(bucket|count|sum)$", "", name)
            assert family in families, name
            for label in re.findall(r"(\w+)\s*[=!]~?", matchers):
                assert label == "le" or label in families[family], (name, label)
            seen += 1
    assert seen > 10
