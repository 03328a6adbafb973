"""Real Redis servers for tests: one, one with replica and sentinels, a cluster. Each process ends by its id."""
import contextlib
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from gateway import free_port


class Redis:
    """A redis-server of its own folder and port, on 127.0.0.1."""

    def __init__(self, folder, *, password=None, tls=None, port=None, options=(), program="redis-server"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.password, self.program = password, program
        lines = ["bind 127.0.0.1", 'save ""', "appendonly no", "daemonize no", f"dir {self.folder}"]
        if tls:
            certificate, key, authority = tls
            lines += ["port 0", f"tls-port {self.port}", f"tls-cert-file {certificate}", f"tls-key-file {key}",
                      f"tls-ca-cert-file {authority}", "tls-auth-clients no"]
        else:
            lines += [f"port {self.port}"]
        if password:
            lines += [f"requirepass {password}"]
        self.tls = tls
        if program == "redis-sentinel":  # knows none of those
            lines = ["bind 127.0.0.1", f"port {self.port}", f"dir {self.folder}"]
        self.config = self.folder / "redis.conf"
        self.config.write_text("\n".join([*lines, *options]) + "\n")
        self.process = None

    def start(self):
        with open(self.folder / "redis.log", "ab") as log:
            self.process = subprocess.Popen([self.program, str(self.config)], stdout=log, stderr=log)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            assert self.process.poll() is None, (self.folder / "redis.log").read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                if self.program == "redis-sentinel" or "PONG" in self.cli("ping", check=False):
                    return self
            time.sleep(0.01)
        raise AssertionError("redis-server does not answer")

    def cli(self, *words, check=True):
        command = ["redis-cli", "-h", "127.0.0.1", "-p", str(self.port), "--no-auth-warning"]
        if self.password:
            command += ["-a", self.password]
        if self.tls:
            command += ["--tls", "--cacert", str(self.tls[2])]
        done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=20)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()  # also when it is stopped
        if self.process:
            self.process.wait()


@contextlib.contextmanager
def running(*servers):
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.kill()


def cluster_port():
    """One whose neighbour, ten thousand above, is free too: Redis' own bus takes it."""
    while True:
        port = free_port() - 10_000
        with contextlib.suppress(OSError), socket.socket() as low, socket.socket() as high:
            low.bind(("127.0.0.1", port))
            high.bind(("127.0.0.1", port + 10_000))
            return port


def cluster(folder, count=3):
    """`count` masters that do not know one another yet; to be used within running(), then join()."""
    folder = Path(tempfile.mkdtemp(dir=folder))
    return [Redis(folder / f"node{n}", port=cluster_port(),
                  options=["cluster-enabled yes", "cluster-node-timeout 2000"]) for n in range(count)]


def join(nodes):
    names = [f"127.0.0.1:{node.port}" for node in nodes]
    subprocess.run(["redis-cli", "--cluster", "create", *names, "--cluster-yes"], check=True, capture_output=True,
                   timeout=60)
    wait(lambda: all("cluster_state:ok" in node.cli("cluster", "info") for node in nodes))


def wait(condition, timeout=20.0, what="it did not happen"):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)
