"""
The commands that ask for a license of one machine: its fingerprint and its challenge.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from keywright_verify.challenge import fingerprint, new_challenge
from keywright_verify.cli.output import Question, Reply
from keywright_verify.machine import load_or_create_key

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def _fingerprint_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "fact",
        nargs="+",
        metavar="NAME=VALUE",
        help="a fact that identifies the machine; NAME=@FILE takes it from a file",
    )


def _fingerprint(given: Namespace) -> Reply:
    facts = dict(map(_fact, given.fact))
    if len(facts) < len(given.fact):
        raise ValueError("Two facts have one name.")
    found = fingerprint(facts)
    return Reply(found, {"fingerprint": found})


def _fact(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(f"{text!r} is not NAME=VALUE.")
    return name, Path(value[1:]).read_text(encoding="utf-8").strip() if value.startswith("@") else value


def _challenge_arguments(parser: ArgumentParser) -> None:
    key = "the machine's key; made if there is none, and never to leave the machine"
    parser.add_argument("--usage-key", type=Path, required=True, metavar="FILE", help=key)
    parser.add_argument("--domain", help="the host name that the license is to be for")
    parser.add_argument("--fingerprint", help="the machine that the license is to be for")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the challenge there instead of here")


def _challenge(given: Namespace) -> Reply:
    key = load_or_create_key(given.usage_key)
    text = new_challenge(key, domain=given.domain, fingerprint=given.fingerprint)
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")
        return Reply(f"written to {given.out}", json.loads(text))
    return Reply(text, json.loads(text))


FINGERPRINT = Question("Hash what identifies this machine.", _fingerprint_arguments, _fingerprint)
CHALLENGE = Question("Ask for a license that is bound to this machine.", _challenge_arguments, _challenge)
