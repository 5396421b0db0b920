"""Run moto's server and the mailbox in one process, on loopback, and say where in one JSON line."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import threading
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from infra.local.aws.mailbox import Mailbox
from infra.local.aws.sending import Sending
from infra.local.children import exit_with_parent

HOST = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """Serve without a log line for every look into the mailbox."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """
        Say nothing.
        """


def serve(port: int, app: Any, handler: type[WSGIRequestHandler]) -> BaseWSGIServer:
    """
    Serve an application from a thread of its own.
    """
    server = make_server(HOST, port, app, threaded=True, request_handler=handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main() -> None:
    """Serve until told to stop or until the parent is gone."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.aws", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mailbox-port", type=int, default=0)
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # Waited for, and not handled: a handler that sets an event may interrupt the very wait that holds its lock.
    # Blocked before any thread starts, because threads inherit the mask.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)

    mailbox = Mailbox()
    moto = DomainDispatcherApplication(create_backend_app)
    aws = serve(options.port, Sending().before(mailbox.watching(moto)), MotoRequestHandler)
    reader = serve(options.mailbox_port, mailbox.page, QuietHandler)
    ready = {"ready": True, "url": f"http://{HOST}:{aws.port}", "mailbox_url": f"http://{HOST}:{reader.port}/"}
    print(json.dumps(ready), flush=True)
    exit_with_parent()
    signal.sigwait(ends)


if __name__ == "__main__":
    main()
