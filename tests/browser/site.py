"""Somebody else's web site: a few pages with the headers that a test gives them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

FOLDERS = {
    "static": Path(__file__).resolve().parents[2] / "static",
    "tests": Path(__file__).resolve().parent / "js",
}
# Chromium asks for no icon then: it would, even after a test has ended and its site is gone.
ICON = '<link rel="icon" href="data:,">'
TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}


@dataclass(frozen=True)
class Page:
    """What one address answers."""

    html: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Site:
    """Its pages by path; `/static/` is the product's folder, and `/tests/` our `js`."""

    port: int
    pages: dict[str, Page]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def page(self, html: str, path: str = "/", **headers: str) -> str:
        """Put a page there (`content_security_policy="..."` is a header); returns its address."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = Page(f'<!doctype html><html lang="en">{ICON}{html}</html>', named)
        return self.url + path


class Server(ThreadingHTTPServer):
    """A page of ours asks for fifty modules at once."""

    request_queue_size = 128


@contextmanager
def serving() -> Iterator[Site]:
    """A site on a port of its own, until the block ends."""
    pages: dict[str, Page] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            _, top, *rest = path.split("/", 2)
            if top in FOLDERS:
                file = (FOLDERS[top] / "".join(rest)).resolve()
                if file.is_relative_to(FOLDERS[top]) and file.is_file():
                    self._answer(200, file.read_bytes(), {"Content-Type": TYPES[file.suffix]})
                    return
            elif page := pages.get(path):
                headers = {"Content-Type": "text/html; charset=utf-8", **page.headers}
                self._answer(200, page.html.encode(), headers)
                return
            self._answer(404, b"", {})

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield Site(server.server_port, pages)
        finally:
            server.shutdown()
            thread.join()
