"""An nginx of our own, with the configuration in deploy/ or a broken one."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from tests.live.server import ROOT, Server
from tests.ports import free_port

DEPLOY = ROOT / "deploy" / "nginx"
START_SECONDS = 10.0
MAIN = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include site.conf;
}}
"""


def published(name: str) -> str:
    """A file of deploy/nginx."""
    return (DEPLOY / name).read_text()


def changed(text: str, changes: dict[str, str]) -> str:
    """The text with these parts exchanged, each of which must be there."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


class Nginx:
    """One process in `folder`; it leaves with the `with` block.

    `site` is what stands in its `http` block, `proxy` the snippet that this includes; the servers
    behind are those of 127.0.0.1 at `ports`."""

    def __init__(self, folder: Path, ports: Sequence[int], site: str, proxy: str) -> None:
        self._folder = folder
        self.port, self.tls_port = free_port(), free_port()
        site = re.sub(r"(?m)^.*listen \[::\].*\n", "", site)
        for published_port, own in ((80, self.port), (443, self.tls_port)):
            site = re.sub(rf"listen {published_port}\b", f"listen 127.0.0.1:{own}", site)
        behind = " ".join(f"server 127.0.0.1:{port};" for port in ports)
        site = re.sub(r"server [\w.]+:8000[^;]*;", behind, site, count=1)
        site, proxy = (text.replace("/var/log/nginx", str(folder)) for text in (site, proxy))
        (folder / "snippets").mkdir(parents=True)
        user = "user root;" if os.getuid() == 0 else ""  # the folders of pytest are its own
        for name, text in {
            "nginx.conf": MAIN.format(folder=folder, user=user),
            "site.conf": site,
            "snippets/clawsite-proxy.conf": proxy,
        }.items():
            (folder / name).write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def before(self, server: Server) -> Server:
        """The server as its clients see it through this nginx's plain port."""
        return replace(server, port=self.port, process=None)

    @property
    def log(self) -> str:
        """What it has complained about."""
        return (self._folder / "error.log").read_text()

    @property
    def requests(self) -> str:
        """What it has written about those that have ended."""
        return (self._folder / "access.log").read_text()

    def __enter__(self) -> Self:
        command = ["nginx", "-p", str(self._folder), "-c", "nginx.conf", "-e", "stderr"]
        with open(self._folder / "error.log", "ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while not _answers(self.port):
            assert self._process.poll() is None, f"nginx does not start:\n{self.log}"
            assert time.monotonic() < until, f"nginx does not answer:\n{self.log}"
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=20)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
