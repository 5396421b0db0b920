"""
The commands about what the vendor signed: licenses, revocation lists and online answers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from keywright_verify.answer import AnswerVerdict, new_nonce, verify_answer
from keywright_verify.challenge import read_challenge
from keywright_verify.cli.output import NO, YES, Question, Reply, add_time, date, time_of
from keywright_verify.clock import HighWaterMark
from keywright_verify.codes import Note
from keywright_verify.jws import read_token_file
from keywright_verify.keys import KeySet
from keywright_verify.revocations import RevocationList, RevocationListInvalidError, RevocationMode
from keywright_verify.verifier import Verdict, verify

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def _license_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("license", type=Path, help="the license file (license.jwt)")
    _add_trust(parser)
    parser.add_argument("--domain", help="the host name that the product runs under")
    parser.add_argument("--fingerprint", help="the fingerprint of this machine")
    parser.add_argument("--challenge", type=Path, help="the challenge that the license must answer, if it answers one")
    parser.add_argument("--audience", help="the product family that the license must be for")
    parser.add_argument("--issuer", help="the issuer that the license must come from")
    parser.add_argument("--revocations", type=Path, help="the vendor's revocation list")
    parser.add_argument("--require-revocations", action="store_true", help="refuse without a current revocation list")


def _add_trust(parser: ArgumentParser) -> None:
    parser.add_argument("--keys", type=Path, required=True, help="the vendor's public keys (license-keys.json)")
    parser.add_argument("--high-water-mark", type=Path, metavar="FILE", help="the file that remembers the latest time")
    add_time(parser)


def _verify(given: Namespace) -> Reply:
    keys = KeySet.from_file(given.keys)
    verdict = verify(
        read_token_file(given.license),
        keys,
        now=time_of(given.at),
        domain=given.domain,
        fingerprint=given.fingerprint,
        audience=given.audience,
        issuer=given.issuer,
        high_water_mark=HighWaterMark(given.high_water_mark) if given.high_water_mark else None,
        revocations=RevocationList.from_file(given.revocations, keys) if given.revocations else None,
        revocation_mode=RevocationMode.REQUIRE if given.require_revocations else RevocationMode.WARN,
        challenge=read_challenge(given.challenge.read_bytes()).nonce if given.challenge else None,
    )
    document = {
        "code": verdict.code,
        "valid": verdict.valid,
        "detail": verdict.detail,
        "notes": verdict.notes,
        "license": dict(verdict.license.claims) if verdict.license else None,
    }
    return Reply(_verdict_text(verdict), document, YES if verdict.valid else NO)


def _verdict_text(verdict: Verdict) -> str:
    lines = [f"{verdict.code}: {verdict.code.explanation}", f"  {verdict.detail}"]
    if (license_ := verdict.license) is not None:
        lines += [
            f"  license   {license_.license_sid} (no. {license_.seq}, key {license_.kid})",
            f"  product   {license_.product_family}, {license_.plan} ({license_.kind})",
            f"  domain    {license_.domain}",
            f"  period    {date(license_.not_before)} to {date(license_.expires_at)} ({license_.enforcement})",
        ]
    return "\n".join(lines + [f"  note      {note}" for note in verdict.notes])


def _revocations_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("list", type=Path, help="the revocation list (revocations.jwt)")
    parser.add_argument("--keys", type=Path, required=True, help="the vendor's public keys (license-keys.json)")
    add_time(parser)


def _revocations(given: Namespace) -> Reply:
    keys = KeySet.from_file(given.keys)
    try:
        found = RevocationList.from_file(given.list, keys)
    except RevocationListInvalidError as error:
        return Reply(str(error), {"code": error.code, "valid": False, "detail": error.detail, "notes": []}, NO)
    notes = [Note.REVOCATIONS_OVERDUE] if time_of(given.at) >= found.next_update else []
    document = {
        "code": "VALID",
        "valid": True,
        "notes": notes,
        "epoch": found.epoch,
        "next_update": found.next_update,
        "revoked": len(found.revoked),
        "superseded": len(found.min_seq),
        "digest": found.digest,
    }
    text = f"VALID: list {found.epoch}, {len(found.revoked)} revoked, next one due {date(found.next_update)}"
    return Reply("\n".join([text, *(f"  note      {note}" for note in notes)]), document)


def _nonce_arguments(_: ArgumentParser) -> None:
    """
    Take none.
    """


def _nonce(_: Namespace) -> Reply:
    nonce = new_nonce()
    return Reply(nonce, {"nonce": nonce})


def _answer_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("answer", type=Path, help="the service's answer, as it was received")
    _add_trust(parser)
    parser.add_argument("--nonce", required=True, help="the nonce that was sent with the question")
    parser.add_argument("--license-id", help="the license that was asked about")


def _answer(given: Namespace) -> Reply:
    verdict: AnswerVerdict = verify_answer(
        read_token_file(given.answer),
        KeySet.from_file(given.keys),
        nonce=given.nonce,
        now=time_of(given.at),
        license_sid=given.license_id,
        high_water_mark=HighWaterMark(given.high_water_mark) if given.high_water_mark else None,
    )
    document = {
        "code": verdict.code,
        "valid": verdict.valid,
        "detail": verdict.detail,
        "answer": dict(verdict.answer.claims) if verdict.answer else None,
    }
    return Reply(f"{verdict.code}: {verdict.detail}", document, YES if verdict.valid else NO)


VERIFY = Question("Verify a license without a network.", _license_arguments, _verify)
REVOCATIONS = Question("Check a revocation list.", _revocations_arguments, _revocations)
NONCE = Question("Draw a nonce for one question to the service.", _nonce_arguments, _nonce)
ANSWER = Question("Verify what the service answered.", _answer_arguments, _answer)
