"""
The command ``keywright-verify``: files in, a verdict out.

It reads the clock and the files; every decision is the library's. Without a command's name, it judges a license.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from keywright_verify.cli import licenses, machines, usage
from keywright_verify.cli.output import CANNOT_ASK, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS: dict[str, Question] = {
    "verify": licenses.VERIFY,
    "revocations": licenses.REVOCATIONS,
    "nonce": licenses.NONCE,
    "answer": licenses.ANSWER,
    "fingerprint": machines.FINGERPRINT,
    "challenge": machines.CHALLENGE,
    "usage record": usage.RECORD,
    "usage export": usage.EXPORT,
    "usage verify": usage.VERIFY,
}
_EPILOG = f"commands: {', '.join(_COMMANDS)}. exit codes: 0 yes, 1 no, 2 the question could not be asked"


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run a command and give its exit code: 0 yes, 1 no, 2 the question could not be asked.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    name, rest = _command(given)
    question = _COMMANDS[name]
    title = "keywright-verify" if name == "verify" else f"keywright-verify {name}"
    parser = argparse.ArgumentParser(prog=title, description=question.about, epilog=_EPILOG, allow_abbrev=False)
    question.arguments(parser)
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    asked = parser.parse_args(rest)
    try:
        reply = question.answer(asked)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"keywright-verify: {error}\n")
        return CANNOT_ASK
    sys.stdout.write((reply.as_json() if asked.json else reply.text) + "\n")
    return reply.exit_code


def _command(given: list[str]) -> tuple[str, list[str]]:
    for words in (2, 1):
        if (name := " ".join(given[:words])) in _COMMANDS and len(given) >= words:
            return name, given[words:]
    return "verify", given
