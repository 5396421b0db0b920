"""``keywright audit``: has anybody tampered with the record of who did what?"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from keywright.audit import chain, gateway, rules
from keywright.audit.models import Finding, Head
from keywright.platform import clock, db
from keywright.platform.errors import Conflict

_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


class RecordTampered(Conflict):
    """The audit log is not what was sealed."""

    code = "audit-tampered"
    title = "The audit log was tampered with"


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands of this area."""
    commands = parser.add_subparsers(required=True, metavar="command")
    verify = commands.add_parser("verify", help="find every change, removal, reordering and cut of the audit log")
    verify.add_argument(
        "--anchor",
        metavar="HEAD",
        action="append",
        default=[],
        type=_head,
        help="a head that was printed or logged earlier, such as 17:ab12…; may be given several times",
    )
    verify.add_argument("--anchors", metavar="FILE", type=Path, help="a file with one such head per line")
    verify.set_defaults(run=_verify)
    head = commands.add_parser("head", help="seal what is written and print where the chain ends: keep the line apart")
    head.set_defaults(run=_print_head)


def _verify(arguments: argparse.Namespace) -> None:
    keys, anchors = gateway.chain_keys(), [*arguments.anchor, *_read_anchors(arguments.anchors)]
    findings: list[Finding] = []
    head, is_done = rules.GENESIS, False
    while not is_done:
        start = head
        inspected = db.transact(lambda tx: chain.inspect(tx, keys=keys, after=start, anchors=anchors))  # noqa: B023
        findings += inspected.findings
        head, is_done = inspected.head, inspected.is_done
    unsealed = db.transact(chain.count_unsealed)
    if findings:
        raise RecordTampered("\n".join([f"{len(findings)} places are wrong.", *map(str, findings)]))
    print(f"The audit log is whole: {head.seal_no} entries are sealed, {unsealed} wait for their seal.")
    print(f"head: {head}")


def _print_head(_arguments: argparse.Namespace) -> None:
    keys = gateway.chain_keys()
    while db.transact(lambda tx: chain.seal(tx, keys=keys, now=clock.now())) == chain.BATCH:
        continue
    print(db.transact(chain.find_head))


def _read_anchors(file: Path | None) -> list[Head]:
    return [] if file is None else [_head(line) for line in file.read_text().split()]


def _head(text: str) -> Head:
    if (match := _HEAD.fullmatch(text.strip())) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no head: it looks like 17:ab12…")
    return Head(int(match[1]), bytes.fromhex(match[2]))
