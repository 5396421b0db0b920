"""Ports on loopback: free ones to choose, fixed ones to check before anything is started."""

from __future__ import annotations

import secrets
import socket

LOOPBACK = "127.0.0.1"
_FIRST, _COUNT = 20_000, 12_000
"""Below what systems give to outgoing connections, one of which could have the port by the time it is listened on."""


def free_port() -> int:
    """
    Choose a port that nobody listens on now.
    """
    while not is_free(port := _FIRST + secrets.randbelow(_COUNT)):
        pass
    return port


def is_free(port: int) -> bool:
    """
    Tell whether a server could listen on a port; connections of an earlier server that are fading do not count.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
        return True
