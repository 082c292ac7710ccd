"""Small servers on loopback that count their connections, a certificate for them, and the other
side of a TLS session."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"

Serve: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Canary:
    """Answers every request with `OK`. `requests`: the heads of all that came."""

    def __init__(self, serve: Serve | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = self.port = 0
        self._serve = serve or self.answer

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client left
        finally:
            writer.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(OK)
            await writer.drain()


@asynccontextmanager
async def serving(
    serve: Serve | None = None, context: ssl.SSLContext | None = None
) -> AsyncIterator[Canary]:
    canary = Canary(serve)
    server = await asyncio.start_server(canary.accept, "127.0.0.1", 0, ssl=context)
    canary.port = server.sockets[0].getsockname()[1]
    try:
        yield canary
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)


def relay_to(port: int) -> Serve:
    """Passes on all bytes, to a server on loopback and back."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
        there = asyncio.create_task(pump(reader, server_writer))
        await pump(server_reader, writer)
        await there

    return relay


def tunnel_to(port: int, asked: list[bytes]) -> Serve:
    """A proxy for one server, wherever it is asked for; it keeps what it was asked."""

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await relay_to(port)(reader, writer)

    return tunnel


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


def certify(folder: Path, *, common_name: str | None = None) -> tuple[ssl.SSLContext, Path]:
    """What a server at `model.test` and 127.0.0.1 needs, and the file that makes it trusted. With a
    common name it has that name alone, and no alternative ones."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name or "test")])
    names = [x509.DNSName("model.test"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
    )
    if common_name is None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    trusted, private = folder / "cert.pem", folder / "key.pem"
    trusted.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(trusted, private)
    return context, trusted


class TlsServer:
    """Its bytes, for whoever wants to cut them anywhere."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def shake_hands(self, data: bytes) -> bool:
        """Whether it is done; what is to be sent is in `outgoing`."""
        self.incoming.write(data)
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def hear(self, data: bytes) -> bytes:
        """What the client says."""
        self.incoming.write(data)
        said = b""
        with suppress(ssl.SSLWantReadError):
            while part := self._ssl.read(65536):
                said += part
        return said

    def say(self, *records: bytes) -> bytes:
        """A record for each, or several for what is too long for one."""
        for record in records:
            rest = memoryview(record)
            while rest:
                rest = rest[self._ssl.write(rest) :]
        return self.outgoing.read()

    def leave(self) -> bytes:
        """A close_notify."""
        with suppress(ssl.SSLWantReadError):
            self._ssl.unwrap()
        return self.outgoing.read()
