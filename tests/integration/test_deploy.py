"""Are the deployment files right? Manifests, the ConfigMap's configuration, image, generated dashboards."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from gateway import BINARY, ROOT, SANITIZED

DEPLOY = ROOT / "deploy"
K8S = DEPLOY / "k8s"
DASHBOARDS = ("operator", "cost-and-usage", "slo")
ROW = "litellm-row"
# file -> (kind, name, namespace); the names are those of the LiteLLM installation that they replace
OBJECTS = {
    "configmap.yaml": ("ConfigMap", "litellm-config", "ml"),
    "deployment.yaml": ("Deployment", "litellm", "ml"),
    **{f"grafana-{name}.yaml": ("ConfigMap", f"litellm-grafana-{name}", "monitoring") for name in DASHBOARDS},
    "pdb.yaml": ("PodDisruptionBudget", "litellm", "ml"),
    "prometheusrule.yaml": ("PrometheusRule", "litellm", "monitoring"),
    "secret.example.yaml": ("Secret", "litellm-secrets", "ml"),
    "service.yaml": ("Service", "litellm", "ml"),
    "servicemonitor.yaml": ("ServiceMonitor", "litellm", "monitoring")}
BUILT_IN = sorted(set(OBJECTS) - {"servicemonitor.yaml", "prometheusrule.yaml"})
NPM_PACKAGE = "@kubernetes-models/prometheus-operator@6.0.0"
# Says nothing, or which part of an object (JSON on stdin) the operator's schema refuses.
VALIDATE_JS = """
import { readFileSync } from "node:fs";
import { PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule";
import { ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor";
try {
  const given = JSON.parse(readFileSync(0, "utf8"));
  new { PrometheusRule, ServiceMonitor }[given.kind](given).validate();
} catch (error) {
  console.log(error.message);
  process.exitCode = 1;
}
"""


def load(name):
    (document,) = yaml.safe_load_all((K8S / name).read_text())  # one object per file
    return document


def pod():
    return load("deployment.yaml")["spec"]["template"]["spec"]


def container():
    (only,) = pod()["containers"]
    return only


def gateway_config():
    return load("configmap.yaml")["data"]["config.yaml"]


# ------------------------------------------------------------------ every object
def test_the_folder_holds_these_objects_and_no_others():
    assert sorted(p.name for p in K8S.iterdir()) == sorted([*OBJECTS, "kustomization.yaml"])


@pytest.mark.parametrize("name", OBJECTS)
def test_kind_name_and_namespace(name):
    document = load(name)
    meta = document["metadata"]
    assert (document["kind"], meta["name"], meta["namespace"]) == OBJECTS[name]
    assert meta["labels"]["app"] == "litellm"


@pytest.mark.parametrize("name", BUILT_IN)
def test_kubernetes_accepts(name):
    kubernetes_validate.validate(load(name), kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("break_it", [
    lambda d: d["spec"]["template"]["spec"]["containers"][0].update(readinesProbe={}),
    lambda d: d["spec"].update(replicas="two"), lambda d: d["spec"].pop("selector")],
    ids=["unknown", "type", "missing"])
def test_the_validator_finds_mistakes(break_it):
    document = load("deployment.yaml")
    break_it(document)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_kustomization_lists_everything_but_the_example_secret():
    document = load("kustomization.yaml")
    assert document["kind"] == "Kustomization"
    assert sorted(document["resources"]) == sorted(set(OBJECTS) - {"secret.example.yaml"})


# ------------------------------------------------------------------ the gateway
def test_one_label_joins_deployment_service_budget_and_monitor():
    label = {"app": "litellm"}
    deployment = load("deployment.yaml")
    assert deployment["spec"]["selector"]["matchLabels"] == label
    assert deployment["spec"]["template"]["metadata"]["labels"] == label
    assert load("service.yaml")["spec"]["selector"] == label
    assert load("pdb.yaml")["spec"]["selector"]["matchLabels"] == label
    assert load("servicemonitor.yaml")["spec"]["selector"]["matchLabels"] == label


def test_port_4000_is_named_http_from_container_to_scrape():
    assert container()["ports"] == [{"name": "http", "containerPort": 4000}]
    assert load("service.yaml")["spec"]["ports"] == [{"name": "http", "port": 4000, "targetPort": "http"}]
    assert [e["port"] for e in load("servicemonitor.yaml")["spec"]["endpoints"]] == ["http"]


def test_the_container_is_started_as_litellm_images_are():
    assert container()["image"] == "intertie:0.1.0"
    assert container()["args"] == ["--config", "/app/config.yaml"]
    assert "command" not in container()
    version = re.search(r"project\(intertie VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert container()["image"].endswith(":" + version)


def test_probes():
    probes = {kind: container()[kind]["httpGet"] for kind in ("readinessProbe", "livenessProbe")}
    assert probes == {"readinessProbe": {"path": "/health/readiness", "port": "http"},
                      "livenessProbe": {"path": "/health/liveliness", "port": "http"}}


def test_resources():
    assert container()["resources"] == {"requests": {"cpu": "100m", "memory": "32Mi"},
                                        "limits": {"cpu": "2", "memory": "256Mi"}}


def test_no_privileges():
    whole = {**pod()["securityContext"], **container()["securityContext"]}
    assert whole == {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "readOnlyRootFilesystem": True,
                     "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
                     "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod()["automountServiceAccountToken"] is False


def test_the_grace_period_covers_pre_stop_and_drain():
    wait = int(container()["lifecycle"]["preStop"]["exec"]["command"][1])
    drain = int(next(e["value"] for e in container()["env"] if e["name"] == "GRACEFUL_SHUTDOWN_TIMEOUT"))
    assert pod()["terminationGracePeriodSeconds"] == 60
    assert wait + drain < 60
    live = container()["livenessProbe"]
    assert live["periodSeconds"] * live["failureThreshold"] >= drain, "liveness would cut the drain short"


def test_keys_come_from_the_secret_and_config_from_the_config_map():
    keys = {e["name"]: e["valueFrom"]["secretKeyRef"] for e in container()["env"] if "valueFrom" in e}
    secret = load("secret.example.yaml")["stringData"]
    assert keys == {name: {"name": "litellm-secrets", "key": name} for name in secret}
    assert sorted(secret) == ["LITELLM_MASTER_KEY", "OPENAI_API_KEY"]
    (volume,), (mount,) = pod()["volumes"], container()["volumeMounts"]
    assert (volume["name"], volume["configMap"]) == (mount["name"], {"name": "litellm-config"})
    assert (mount["mountPath"], mount["subPath"]) == ("/app/config.yaml", "config.yaml")


# ------------------------------------------------------------------ its configuration
def test_three_tiers():
    config = yaml.safe_load(gateway_config())
    rows = {r["model_name"]: r["litellm_params"] for r in config["model_list"]}
    assert list(rows.values()) == [
        {"model": "openai/Qwen/Qwen2.5-7B-Instruct", "api_base": "http://vllm.ml.svc:8000/v1", "api_key": "none",
         "timeout": 30},
        {"model": "ollama/qwen2.5:3b", "api_base": "http://ollama.ml.svc:11434", "timeout": 120},
        {"model": "gpt-4o-mini", "api_key": "os.environ/OPENAI_API_KEY"}]
    first, *others = rows
    assert config["router_settings"] == {"num_retries": 2, "timeout": 120, "fallbacks": [{first: others}]}
    assert config["litellm_settings"]["drop_params"] is True
    assert config["litellm_settings"]["callbacks"] == ["prometheus"]
    assert config["general_settings"] == {"master_key": "os.environ/LITELLM_MASTER_KEY"}


def check(path, **environment):
    # The deployment's own variables only: what is missing in the pod must be missing here.
    environment |= {k: v for k, v in os.environ.items() if k == "PATH" or k.endswith("SAN_OPTIONS")}
    return subprocess.run([BINARY, "check", path], env=environment, cwd=path.parent, capture_output=True, text=True,
                          timeout=60)


def test_intertie_check_accepts_it_without_a_remark(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(gateway_config())
    done = check(path, **load("secret.example.yaml")["stringData"])
    assert done.returncode == 0, done.stdout + done.stderr
    remarks = [line for line in done.stdout.splitlines() if "[effective]" not in line]
    assert not remarks, "\n".join(remarks)


def test_the_gateway_starts_with_it_and_lists_the_tiers(gateway_factory):
    gateway = gateway_factory(gateway_config(), env={"OPENAI_API_KEY": "sk-unused"})
    listed = [m["id"] for m in gateway.get("/v1/models").json()["data"]]
    assert listed == [r["model_name"] for r in yaml.safe_load(gateway_config())["model_list"]]
    assert gateway.get("/metrics/", headers={"Authorization": None}).status_code == 200
    for probe in ("readinessProbe", "livenessProbe"):
        path = container()[probe]["httpGet"]["path"]
        assert gateway.get(path, headers={"Authorization": None}).status_code == 200


# ------------------------------------------------------------------ the scrape
def test_service_monitor():
    document = load("servicemonitor.yaml")
    assert document["apiVersion"] == "monitoring.coreos.com/v1"
    assert document["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    # Exact, because the schema lets unknown keys pass and the cluster drops them silently.
    assert document["spec"] == {
        "namespaceSelector": {"matchNames": ["ml"]}, "selector": {"matchLabels": {"app": "litellm"}},
        "endpoints": [{"port": "http", "path": "/metrics/", "interval": "30s"}]}


@pytest.fixture(scope="module")
def operator_schema():
    """A folder where node finds the operator's classes; installed once into .cache/npm."""
    for tool in ("npm", "node"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing: script/setup test installs it")
    folder = ROOT / ".cache/npm"
    stamp = folder / "package.stamp"
    if not stamp.exists() or stamp.read_text() != NPM_PACKAGE:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n')
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error",
                               NPM_PACKAGE], cwd=folder, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            pytest.skip(f"npm could not install {NPM_PACKAGE}: {done.stderr.strip()[-300:]}")
        stamp.write_text(NPM_PACKAGE)
    script = folder / "validate.mjs"
    script.write_text(VALIDATE_JS)
    return script


def refused(script, document):
    done = subprocess.run(["node", script], input=json.dumps(document), capture_output=True, text=True, timeout=60)
    assert not done.stderr, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["servicemonitor.yaml", "prometheusrule.yaml"])
def test_the_operator_accepts(operator_schema, name):
    assert refused(operator_schema, load(name)) == ""


def test_the_operator_schema_finds_mistakes_in_rules(operator_schema):
    document = load("prometheusrule.yaml")
    document["spec"]["groups"][2]["rules"][0]["for"] = "two minutes"
    assert "for" in refused(operator_schema, document)


@pytest.mark.parametrize("key, value", [("port", 4000), ("interval", "30 seconds"), ("path", ["/metrics/"])])
def test_the_operator_schema_finds_mistakes(operator_schema, key, value):
    document = load("servicemonitor.yaml")
    document["spec"]["endpoints"][0][key] = value
    assert f"endpoints/0/{key}" in refused(operator_schema, document)


# ------------------------------------------------------------------ dashboards
def test_generated_files_are_up_to_date():
    done = subprocess.run([sys.executable, ROOT / "tools/gen_dashboard.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_config_map_carries_the_dashboard(name):
    document = load(f"grafana-{name}.yaml")
    assert document["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert document["data"] == {f"{name}.json": (DEPLOY / f"grafana/{name}.json").read_text()}
    # kubectl apply keeps the whole object in an annotation, and those end at 256 KiB.
    assert len(json.dumps(document)) < 256 * 1024 * 0.75


def flat_panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def dashboard_of(name):
    return json.loads((DEPLOY / f"grafana/{name}.json").read_text())


def test_there_are_no_other_dashboards_and_each_has_an_id_of_its_own():
    assert {p.stem for p in (DEPLOY / "grafana").iterdir()} == {*DASHBOARDS, ROW}
    assert len({dashboard_of(name)["uid"] for name in (*DASHBOARDS, ROW)}) == 4


@pytest.mark.parametrize("name", DASHBOARDS)
def test_variables_and_links(name):
    dashboard = dashboard_of(name)
    variables = {v["name"]: v for v in dashboard["templating"]["list"]}
    assert list(variables) == ["datasource", "namespace", "job", "model", "runbooks"]
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    # All installations without a namespace too; but "all jobs" must not mean every program that Prometheus scrapes.
    assert [variables[v]["allValue"] for v in ("namespace", "job", "model")] == [".*", None, ".*"]
    used = set(re.findall(r"\$(\w+)|\${(\w+)}", json.dumps(dashboard["panels"])))
    names = {a or b for a, b in used} - {"__rate_interval", "__range"}
    assert names == set(variables), "a variable that nobody uses or nobody defines"
    assert [(link["type"], link["title"]) for link in dashboard["links"]] == [("dashboards", "Intertie"), ("link", "Runbooks")]
    assert set(dashboard["links"][0]["tags"]) <= set(dashboard["tags"])
    (runbooks,) = [p for p in flat_panels(dashboard) if p["type"] == "text"]
    linked = set(re.findall(r"\$\{runbooks}/([\w-]+\.md)", runbooks["options"]["content"]))
    assert linked == {p.name for p in (ROOT / "docs/runbooks").iterdir()}


@pytest.mark.parametrize("name", (*DASHBOARDS, ROW))
def test_dashboard_is_complete(name):
    dashboard = dashboard_of(name)
    assert dashboard["schemaVersion"] == 41 and dashboard["title"] and dashboard["description"]
    ids = [p["id"] for p in flat_panels(dashboard)]
    assert len(ids) == len(set(ids))
    titles = [p["title"] for p in flat_panels(dashboard) if p["type"] != "row"]
    assert len(titles) == len(set(titles))
    for panel in flat_panels(dashboard):
        if panel["type"] in ("row", "text"):
            continue
        assert panel["title"] and panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"]
            assert target["legendFormat"] and target["expr"]
            if name != ROW and "ALERTS{" not in target["expr"] and ":budget" not in target["expr"]:
                selectors = re.findall(r"\b(?:litellm_\w+|intertie:\w[\w:]*|process_\w+)({[^}]*})?", target["expr"])
                labels = {"litellm_model_name"} if "litellm_model_name" in target["expr"] else set()
                assert all('namespace=~"$namespace", job=~"$job"' in s for s in selectors if s) and \
                    len([s for s in selectors if not s]) <= len(labels) * 2, target["expr"]
        refs = [t["refId"] for t in panel["targets"]]
        assert len(refs) == len(set(refs))


@pytest.mark.parametrize("name", (*DASHBOARDS, ROW))
def test_panels_do_not_overlap(name):
    taken = {}
    for panel in flat_panels(dashboard_of(name)):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])):
            assert taken.setdefault(cell, panel["title"]) == panel["title"], (cell, taken[cell], panel["title"])


def test_the_row_can_be_merged_into_any_dashboard():
    dashboard = dashboard_of(ROW)
    (row,) = dashboard["panels"]
    assert (row["type"], row["collapsed"]) == ("row", True) and len(row["panels"]) > 10
    assert [v["name"] for v in dashboard["templating"]["list"]] == ["datasource"]
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(row))) <= {"datasource", "__rate_interval", "__range"}


# ------------------------------------------------------------------ image
def dockerfile():
    text = (DEPLOY / "docker/Dockerfile").read_text().replace("\\\n", " ")
    return text.split("\nFROM ")


def test_the_image_runs_the_gateway_as_the_deployment_expects():
    runtime = dockerfile()[-1]
    assert 'ENTRYPOINT ["intertie"]' in runtime
    assert "EXPOSE 4000" in runtime
    assert "ca-certificates" in runtime
    assert f"USER {pod()['securityContext']['runAsUser']}" in runtime


def test_what_the_image_build_copies_exists():
    ignored = (DEPLOY / "docker/Dockerfile.dockerignore").read_text().split()
    for line in re.findall(r"^COPY (?!--from)(.*)$", "\nFROM ".join(dockerfile()), re.M):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert "!" + source.rstrip("/") in ignored, source


@pytest.mark.skipif(SANITIZED, reason="sanitizer builds link their own run-time libraries")
@pytest.mark.skipif(shutil.which("dpkg") is None or 'VERSION_ID="12"' not in Path("/etc/os-release").read_text(),
                    reason="the image is Debian 12: its package names are known there only")
def test_the_image_has_the_packages_of_every_shared_library():
    runtime = set(re.search(r"--no-install-recommends(.*?)&&", dockerfile()[-1])[1].split())
    linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^\s+(\S+\.so\S*) => /", linked, re.M)
    owners = subprocess.run(["dpkg", "-S", *("*-linux-gnu/" + name for name in names)], capture_output=True, text=True)
    owner_of = {line.rsplit("/", 1)[1]: line.split(":")[0] for line in owners.stdout.splitlines()}
    assert set(names) == set(owner_of), "a library that no package owns"
    assert set(owner_of.values()) - {"libc6", "libgcc-s1"} <= runtime, "the slim image itself has only libc and libgcc"
