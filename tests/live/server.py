"""A real server process of the product, with its own database, journal and port."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90.0  # of a machine with ten times as much to do as it can


@dataclass(frozen=True)
class Keys:
    """What the tests talk with: two organisations, an agent each, and keys for them."""

    acme: str
    globex: str
    acme_key_id: str


def environment(database: Path, upstream_url: str, **settings: str) -> dict[str, str]:
    """The environment of one installation; short timeouts, so that tests need not be patient."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return inherited | {
        "DATABASE_URL": f"sqlite:///{database}",
        "SECRET_KEY": "live-tests-only-0123456789-0123456789-0123456789",
        "CLAW_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "ALLOWED_HOSTS": "*",
        "ANTHROPIC_API_KEY": "sk-ant-live-tests",
        "ANTHROPIC_BASE_URL": upstream_url,
        "CLAW_PROVIDER_IDLE_TIMEOUT": "8",
        "CLAW_RUN_LEASE": "2",
        "CLAW_SHUTDOWN_GRACE": "10",
        "PYTHONUNBUFFERED": "1",
        **settings,
    }


def manage(env: dict[str, str], *command: str, root: Path = ROOT) -> str:
    """Run a management command of the release in `root`; returns what it printed."""
    done = subprocess.run(
        [sys.executable, str(root / "manage.py"), *command],
        env=env,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# One process for all commands: each would load the product again.
INSTALL = """
from django.core.management import call_command
call_command("migrate", "--no-input", "--verbosity", "0")
for name in ("acme", "globex"):
    call_command("create_org", name, "--owner", f"owner@{name}.example", "--json")
    slug = f"{name}-agent"
    call_command("create_agent", "--org", name, "--slug", slug, "--provider", "anthropic", "--json")
    call_command("create_api_key", "--agent", slug, "--json")
"""


def install(env: dict[str, str], root: Path = ROOT) -> Keys:
    """An empty database becomes an installation of two organisations."""
    printed = manage(env, "shell", "--verbosity", "0", "-c", INSTALL, root=root).splitlines()
    acme, globex = [json.loads(line) for line in printed[2::3]]
    return Keys(acme["apiKey"], globex["apiKey"], acme["keyId"])


@dataclass
class Server:
    """One process at a time; it can be killed and started again on the same port and data."""

    env: dict[str, str]
    folder: Path
    keys: Keys
    command: tuple[str, ...] = ("serve",)
    root: Path = ROOT
    """The folder of the release that it runs."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/ws"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        """Everything that the server has printed."""
        path = self.folder / "server.log"
        return path.read_text() if path.exists() else ""

    @property
    def database(self) -> Path:
        return Path(self.env["DATABASE_URL"].removeprefix("sqlite:///"))

    def start(self) -> "Server":
        """Start, and return when it answers; a worker has nobody to answer."""
        arguments = [*self.command]
        if self.command[0] == "serve":
            arguments += ["--port", str(self.port)]
        elif self.command[0] == "runserver":
            arguments += ["--noreload", f"127.0.0.1:{self.port}"]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(self.root / "manage.py"), *arguments],
                env=self.env,
                stdout=log,
                stderr=log,
            )
        if self.command[0] == "work":
            return self
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urlopen(f"{self.url}/healthz", timeout=1):
                    return self
            except (URLError, OSError):
                time.sleep(0.02)
        raise AssertionError(f"the server did not start:\n{self.log[-3000:]}")

    def kill(self) -> None:
        """SIGKILL: no chance to clean up."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._signal(signal.SIGTERM)

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """The exit code, once it has left."""
        assert self.process is not None
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def manage(self, *command: str) -> str:
        """A management command of this installation, as another process."""
        return manage(self.env, *command, root=self.root)

    def stored(self) -> bytes:
        """All that its database holds, as it lies in its files."""
        files = self.database.parent.glob(f"{self.database.name}*")
        return b"".join(file.read_bytes() for file in files if file.is_file())

    def rss_mb(self) -> float:
        """Resident memory of the process in MB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmRSS")

    def _signal(self, number: int) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        return self.wait()
