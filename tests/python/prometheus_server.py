"""A real Prometheus and Alertmanager for tests: the distribution's programs, on free ports of 127.0.0.1."""
import contextlib
import shutil
import subprocess
import time

import requests
import yaml

from gateway import PATIENCE, free_port


class Server:
    """One process with a log file; use as a context manager."""

    def __init__(self, folder, program):
        self.folder, self.program, self.port = folder, program, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_file = folder / f"{program}.log"
        self.process = None

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        binary = shutil.which(self.program)
        assert binary, f"{self.program} is missing: script/setup test installs it"
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen([binary, *self.command()], stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def get(self, path, **params):
        """The data of an API answer; None while the server is still starting."""
        assert self.process.poll() is None, self.log_file.read_text()[-4000:]
        try:
            answer = requests.get(self.url + path, params=params, timeout=10)
        except requests.ConnectionError:
            return None
        if answer.status_code == 503:
            return None
        body = answer.json()
        assert body["status"] == "success", f"{params}: {body}"
        return body["data"]


class Prometheus(Server):
    """Scrapes `targets`: {job: [host:port]}; `rules`: the text of a rule file."""

    def __init__(self, folder, targets, *, path="/metrics", interval="1s", rules=None, alertmanager=None, features=()):
        super().__init__(folder, "prometheus")
        self.features = list(features)
        config = {"global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
                  "scrape_configs": [{"job_name": job, "metrics_path": path, "static_configs": [{"targets": hosts}]}
                                     for job, hosts in targets.items()]}
        if rules:
            (folder / "rules.yaml").write_text(rules)
            config["rule_files"] = ["rules.yaml"]
        if alertmanager:
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager.port}"]}]}]}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))

    def command(self):
        return [f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/tsdb",
                f"--web.listen-address=127.0.0.1:{self.port}", "--rules.alert.resend-delay=1s",
                *([f"--enable-feature={','.join(self.features)}"] if self.features else [])]

    def query(self, expr):
        """[(labels, value)] now; empty while the server is still starting."""
        data = self.get("/api/v1/query", query=expr) or {"resultType": "vector", "result": []}
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(r["metric"], float(r["value"][1])) for r in data["result"]]

    def wait(self, expr, good, seconds=60):
        """Polls until `good` accepts one of the samples; says what came last."""
        end = time.monotonic() + seconds * PATIENCE
        while True:
            samples = self.query(expr)
            if any(good(labels, value) for labels, value in samples):
                return samples
            assert time.monotonic() < end, f"{expr}\nlast answer: {samples}"
            time.sleep(0.1)

    def wait_scrape(self):
        """Until every target was scraped anew: what has happened by now is stored then."""
        called = time.time()
        self.wait("min(timestamp(up))", lambda _, value: value > called)

    def exemplars(self, expr, since):
        return self.get("/api/v1/query_exemplars", query=expr, start=since, end=time.time() + 1) or []


class Alertmanager(Server):
    """Sends every alert at once to `webhook` (a URL), also when it is resolved."""

    def __init__(self, folder, webhook):
        super().__init__(folder, "prometheus-alertmanager")
        (folder / "alertmanager.yml").write_text(yaml.safe_dump({
            "route": {"receiver": "test", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"},
            "receivers": [{"name": "test", "webhook_configs": [{"url": webhook, "send_resolved": True}]}]}))

    def command(self):
        return [f"--config.file={self.folder}/alertmanager.yml", f"--storage.path={self.folder}/alertmanager",
                f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address="]

    def wait_ready(self, seconds=20):
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(self.url + "/-/ready", timeout=5).status_code == 200:
                    return
            assert time.monotonic() < end, self.log_file.read_text()[-4000:]
            time.sleep(0.05)
