"""A server that offers no TLS, or somebody between us and it who says so, learns nothing of the schema's owner."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql
import pytest
from yoyo import get_backend

from keywright.platform import migrations

PATIENCE_S = 30
# What a MySQL 8 server says first, without the flag CLIENT_SSL.
CAPABILITIES = 0xFFFFF7FF & ~0x800
GREETING = (
    b"\x0a8.0.39\0"
    + struct.pack("<I", 7)
    + b"12345678\0"
    + struct.pack("<HBHH", CAPABILITIES & 0xFFFF, 45, 2, CAPABILITIES >> 16)
    + bytes([21])
    + bytes(10)
    + b"901234567890\0"
    + b"mysql_native_password\0"
)


@contextmanager
def plain_server() -> Iterator[tuple[int, list[bytes]]]:
    """Yield the port of a server that greets one client without TLS, and what the client then says."""
    heard: list[bytes] = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(PATIENCE_S)

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.settimeout(PATIENCE_S)
                client.sendall(struct.pack("<I", len(GREETING))[:3] + b"\0" + GREETING)
                heard.append(client.recv(4096))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], heard
        finally:
            thread.join(PATIENCE_S)


def test_the_owner_tells_nothing_without_tls():
    with plain_server() as (port, heard), pytest.raises(pymysql.OperationalError, match="SSL"):
        migrations.backend_for(
            {"host": "127.0.0.1", "port": port, "username": "owner", "password": "secret", "dbname": "keywright"}
        )

    assert heard == [b""]


def test_the_librarys_own_way_would_tell_even_where_its_address_asks_for_tls():
    with plain_server() as (port, heard), pytest.raises(pymysql.OperationalError):
        get_backend(f"mysql://owner:secret@127.0.0.1:{port}/keywright?ssl=1")

    assert b"owner" in heard[0]
