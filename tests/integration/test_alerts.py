"""Are the shipped rules right? promtool's unit tests, the Kubernetes copy, the runbooks, the names they query."""
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
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


MUTATIONS = [("> 0.05 and", "> 0.5 and"), ("> 0.2 and", "> 0.9 and"), ("vector(0.005)", "vector(0.5)"),
             ("vector(0.01)", "vector(0.5)"), ("[30m])) > 5", "[30m])) > 99"), ("unless", "and"), ("14.4 *", "99 *"),
             ("> 6 *", "> 99 *"), ("ratio_rate3d > ", "ratio_rate3d > 99 * "), (" or 0 * intertie:requests:rate5m", ""),
             ('state="open"', 'state="closed"'), ('outcome="rejected"', 'outcome="applied"'), ("{le=\"30.0\"}", "{le=\"60.0\"}"),
             ("sum by (namespace, job) (rate(litellm_proxy", "sum by (job) (rate(litellm_proxy")]


@pytest.mark.slow
def test_the_unit_tests_notice_a_changed_rule(tmp_path):
    def survives(number, old, new):
        text, folder = RULES.read_text(), tmp_path / str(number)
        assert old in text, old
        folder.mkdir()
        (folder / "rules.yaml").write_text(text.replace(old, new))
        (folder / "rules.test.yaml").write_text(TESTS.read_text())
        return promtool("test", "rules", folder / "rules.test.yaml").returncode == 0

    assert survives("unchanged", "", "")
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda item: survives(item[0], *item[1]), enumerate(MUTATIONS)))
    assert not [change for change, survived in zip(MUTATIONS, results) if survived]


def test_every_alert_is_unit_tested_and_has_a_runbook_section():
    tested = TESTS.read_text()
    pages = set()
    for alert in alerts():
        name = alert["alert"]
        assert f"alertname: {name}" in tested
        page, anchor = alert["annotations"]["runbook_url"].split("#")
        assert anchor == name.lower() and f"\n## {name}\n" in (ROOT / page).read_text()
        assert alert["labels"]["severity"] in ("critical", "warning")
        pages.add(ROOT / page)
    assert set((ROOT / "docs/runbooks").iterdir()) == pages
    for page in pages:
        text = page.read_text()
        assert "**Look:**" in text and "**Do:**" in text
        assert text.count("**Means:**") == len(re.findall(r"^## ", text, re.M)), page


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
