"""Run the DNS server as a process and say where it answers in one JSON line."""

from __future__ import annotations

import argparse
import json
import signal

from infra.local.children import exit_with_parent
from infra.local.dns.server import serving


def main() -> None:
    """Serve until told to stop or until the parent is gone."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.dns", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the control page; 0 means any free one")
    options = parser.parse_args()
    # Blocked before any thread starts, because threads inherit the mask.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    with serving(options.port) as server:
        print(json.dumps({"ready": True, "url": server.url, "resolvers": server.resolvers}), flush=True)
        exit_with_parent()
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
