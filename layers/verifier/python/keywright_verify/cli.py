"""
The command ``keywright-verify``: a license file and a key file in, a verdict out.

It reads the clock and the files; every decision is the library's.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from keywright_verify.clock import HighWaterMark
from keywright_verify.jws import read_token_file
from keywright_verify.keys import KeySet, KeySetInvalidError
from keywright_verify.revocations import RevocationList, RevocationListInvalidError
from keywright_verify.verifier import Verdict, verify

if TYPE_CHECKING:
    from collections.abc import Sequence

VALID, NOT_VALID, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command and give its exit code: 0 valid, 1 not valid, 2 the question could not be asked.
    """
    given = _parser().parse_args(arguments)
    try:
        verdict = _verdict(given)
    except (OSError, KeySetInvalidError, RevocationListInvalidError) as error:
        sys.stderr.write(f"keywright-verify: {error}\n")
        return USAGE
    sys.stdout.write((_as_json(verdict) if given.json else _as_text(verdict)) + "\n")
    return VALID if verdict.valid else NOT_VALID


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keywright-verify", description="Verify a license without a network.")
    parser.add_argument("license", type=Path, help="the license file (license.jwt)")
    parser.add_argument("--keys", type=Path, required=True, help="the vendor's public keys (license-keys.json)")
    parser.add_argument("--domain", help="the host name that the product runs under")
    parser.add_argument("--fingerprint", help="the fingerprint of this machine")
    parser.add_argument("--audience", help="the product family that the license must be for")
    parser.add_argument("--issuer", help="the issuer that the license must come from")
    parser.add_argument("--revocations", type=Path, help="the vendor's revocation list")
    parser.add_argument("--high-water-mark", type=Path, metavar="FILE", help="the file that remembers the latest time")
    parser.add_argument("--at", type=int, metavar="UNIX", help="judge for this time instead of now")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    return parser


def _verdict(given: argparse.Namespace) -> Verdict:
    keys = KeySet.from_file(given.keys)
    revocations = RevocationList.from_file(given.revocations, keys) if given.revocations else None
    return verify(
        read_token_file(given.license),
        keys,
        now=int(time.time()) if given.at is None else given.at,
        domain=given.domain,
        fingerprint=given.fingerprint,
        audience=given.audience,
        issuer=given.issuer,
        high_water_mark=HighWaterMark(given.high_water_mark) if given.high_water_mark else None,
        revocations=revocations,
    )


def _as_text(verdict: Verdict) -> str:
    lines = [f"{verdict.code}: {verdict.code.explanation}", f"  {verdict.detail}"]
    if (license_ := verdict.license) is not None:
        lines += [
            f"  license   {license_.license_sid} (no. {license_.seq}, key {license_.kid})",
            f"  product   {license_.product_family}, {license_.plan} ({license_.kind})",
            f"  domain    {license_.domain}",
            f"  period    {_date(license_.not_before)} to {_date(license_.expires_at)} ({license_.enforcement})",
        ]
    return "\n".join(lines + [f"  note      {note}" for note in verdict.notes])


def _as_json(verdict: Verdict) -> str:
    document = {
        "code": verdict.code,
        "valid": verdict.valid,
        "detail": verdict.detail,
        "notes": verdict.notes,
        "license": dict(verdict.license.claims) if verdict.license else None,
    }
    return json.dumps(document, indent=2, sort_keys=True)


def _date(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(at))
