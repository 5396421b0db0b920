"""The zone on the wire: some resolvers over UDP and TCP, and a control page over HTTP. Loopback only."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dns.exception
import dns.message

from infra.local.dns.zone import FAULTS, Zone

HOST = "127.0.0.1"
RESOLVERS = 3
_LONGEST_BODY = 10_000


@dataclass(frozen=True)
class DnsServer:
    """Where it answers: the control page, and the resolvers as the setting names them."""

    url: str
    resolvers: str
    zone: Zone


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True
    allow_reuse_address = False


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def serving(port: int = 0) -> Iterator[DnsServer]:
    """Serve until the block ends."""
    zone = Zone()
    with ExitStack() as stack:
        addresses = [stack.enter_context(_resolver(zone, number)) for number in range(RESOLVERS)]
        control = stack.enter_context(_running(ThreadingHTTPServer((HOST, port), _control(zone))))
        url = f"http://{HOST}:{control.server_address[1]}/"
        yield DnsServer(url, ",".join(addresses), zone)


@contextmanager
def _resolver(zone: Zone, number: int) -> Iterator[str]:
    udp_handler, tcp_handler = _handlers(zone, number)
    with _running(_Udp((HOST, 0), udp_handler)) as udp:
        port = udp.server_address[1]
        # The same number for both, as for every DNS server. Somebody else may hold it for TCP: then UDP alone answers.
        try:
            tcp = _Tcp((HOST, port), tcp_handler)
        except OSError:
            yield f"{HOST}:{port}"
            return
        with _running(tcp):
            yield f"{HOST}:{port}"


@contextmanager
def _running(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _handlers(
    zone: Zone, number: int
) -> tuple[type[socketserver.BaseRequestHandler], type[socketserver.BaseRequestHandler]]:
    def answer(wire: bytes) -> bytes | None:
        try:
            response = zone.answer(dns.message.from_wire(wire), resolver=number)
        except dns.exception.DNSException:
            return None
        return None if response is None else response.to_wire()

    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, socket = self.request
            if (told := answer(wire)) is not None:
                socket.sendto(told, self.client_address)

    class Tcp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            length = int.from_bytes(self.request.recv(2), "big")
            if (told := answer(self.request.recv(length))) is not None:
                self.request.sendall(len(told).to_bytes(2, "big") + told)

    return Udp, Tcp


def _control(zone: Zone) -> type[BaseHTTPRequestHandler]:
    class Control(BaseHTTPRequestHandler):
        """``GET``, ``POST {name, value}`` or ``{name, fault, resolver?}``, ``DELETE ?name=``: all answer the zone."""

        def do_GET(self) -> None:
            self._tell(200)

        def do_POST(self) -> None:
            length = min(int(self.headers.get("content-length") or 0), _LONGEST_BODY)
            try:
                understood = _set(zone, json.loads(self.rfile.read(length)))
            except (ValueError, KeyError, TypeError, dns.exception.DNSException):
                understood = False
            self._tell(200 if understood else 400)

        def do_DELETE(self) -> None:
            for name in parse_qs(urlsplit(self.path).query).get("name", ()):
                zone.remove(name)
            self._tell(200)

        def _tell(self, status: int) -> None:
            body = json.dumps({"records": zone.listing()}, indent=2).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Control


def _set(zone: Zone, body: dict[str, Any]) -> bool:
    if "fault" not in body:
        zone.add(str(body["name"]), str(body["value"]))
        return True
    if body["fault"] not in FAULTS:
        return False
    zone.fail(str(body["name"]), str(body["fault"]), body.get("resolver"))
    return True
