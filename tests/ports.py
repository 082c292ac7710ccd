"""Ports for the servers of tests."""

import random
import socket

# Below those that the system gives to connections: one of these could take it before the server.
FIRST, LAST = 18_000, 31_999


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on right now."""
    while True:
        port = random.randint(FIRST, LAST)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
