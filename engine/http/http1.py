"""Responses of HTTP/1.1 (RFC 9112), from bytes, by llhttp; no I/O."""

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser


class Broken(Exception):
    """The connection was lost, or what came over it is no HTTP."""


class ResponseParser:
    """The responses of one connection, one after the other.

    Once `damage` is set, or `ended` is true, nothing more comes until `expect`."""

    __slots__ = (
        "__weakref__",
        "_llhttp",
        "_parts",
        "damage",
        "ended",
        "headers",
        "keep_alive",
        "on_body",
        "status",
        "until_close",
    )

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.on_body = self._parts.append  # called by llhttp: without a frame of ours for a token
        self._llhttp = HttpResponseParser(self)
        self.expect()

    def expect(self) -> None:
        """A response is to come."""
        self.status = 0  # until the headers are there; that of an interim response does not count
        self.headers: dict[str, str] = {}  # by lower-case names
        self.ended = self.keep_alive = False
        self.until_close = False  # whether it is the end of the connection that ends the body
        self.damage: Broken | None = None

    def feed(self, data: bytes) -> bytes:
        """The part of the body that `data` holds."""
        try:
            self._llhttp.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self.damage = Broken(f"no HTTP: {error!r}")
            self.keep_alive = False
        body = b"".join(self._parts)
        self._parts.clear()
        return body

    def close(self) -> None:
        """Let go of llhttp, which holds our methods."""
        del self._llhttp

    # --- called by llhttp

    def on_message_begin(self) -> None:
        """A response begins."""
        if self.ended:
            raise Broken("nobody asked for a second response")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        if not self.status:
            text = value.decode("latin-1").strip(" \t")  # RFC 9110, section 5.5: no part of it
            self.headers[name.decode("latin-1").lower()] = text

    def on_headers_complete(self) -> None:
        """The headers are there."""
        status = self._llhttp.get_status_code()
        if status < 200:
            self.headers.clear()
            return
        self.status = status
        chunked = "chunked" in self.headers.get("transfer-encoding", "").lower()
        self.until_close = not chunked and "content-length" not in self.headers

    def on_message_complete(self) -> None:
        """The response is over, or an interim one."""
        if self.status:
            self.ended = True
            self.keep_alive = self._llhttp.should_keep_alive()
