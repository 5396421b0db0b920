"""
The commands about usage on a machine without a network: record it, export it, check an export.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from keywright_verify.challenge import read_challenge
from keywright_verify.cli.output import NO, Question, Reply, add_time, date, time_of
from keywright_verify.jws import read_token_file
from keywright_verify.machine import PublicJwk, load_key, public_jwk
from keywright_verify.usage.amounts import amount_text
from keywright_verify.usage.chain import ChainHead, head_of, require_continues
from keywright_verify.usage.export import MAX_BYTES, UsageExport, UsageExportInvalidError, read_export
from keywright_verify.usage.log import UsageLog, UsageLogError
from keywright_verify.usage.values import Period

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_DECEMBER = 12


def _log_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--log", type=Path, required=True, metavar="FILE", help="the usage log; made if there is none")
    parser.add_argument("--license-id", required=True, help="the license that the usage belongs to")


def _record_arguments(parser: ArgumentParser) -> None:
    _log_arguments(parser)
    parser.add_argument("--meter", required=True)
    parser.add_argument("--value", required=True, help="a decimal number, taken exactly")
    parser.add_argument("--id", required=True, help="the record's own id; the same id counts once")
    add_time(parser, "--time")


def _record(given: Namespace) -> Reply:
    at = time_of(given.time)
    try:
        with UsageLog(given.log, license_sid=given.license_id) as log:
            is_new = log.record(given.meter, given.value, at, given.id)
    except UsageLogError as error:
        return _refusal(error)
    return Reply("recorded" if is_new else "known already", {"id": given.id, "new": is_new, "time": at})


def _export_arguments(parser: ArgumentParser) -> None:
    _log_arguments(parser)
    parser.add_argument("--usage-key", type=Path, required=True, metavar="FILE", help="the machine's key")
    when = "a month such as 2027-01, or two times in seconds since 1970 such as 1798761600-1801440000 (UTC)"
    parser.add_argument("--period", required=True, type=_period, help=when)
    parser.add_argument("--records", action="store_true", help="tell every single record, not only hours")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the export there instead of here")
    add_time(parser)


def _period(text: str) -> Period:
    if (month := _MONTH.fullmatch(text)) is not None:
        year, number = int(month[1]), int(month[2])
        after = (year + 1, 1) if number == _DECEMBER else (year, number + 1)
        return Period(*(int(datetime(*each, 1, tzinfo=UTC).timestamp()) for each in ((year, number), after)))
    start, _, end = text.partition("-")
    return Period(int(start), int(end))


def _export(given: Namespace) -> Reply:
    key = load_key(given.usage_key)
    try:
        with UsageLog(given.log, license_sid=given.license_id) as log:
            token = log.export(given.period, key=key, created_at=time_of(given.at), with_records=given.records)
    except UsageLogError as error:
        return _refusal(error)
    document = _document(read_export(token, public_jwk(key.public_key())))
    if given.out:
        given.out.write_text(token + "\n", encoding="ascii")
        return Reply(f"written to {given.out}", document)
    return Reply(token, document | {"export": token})


def _verify_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("export", nargs="+", type=Path, help="exports of one chain, in their order, from the first on")
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--challenge", type=Path, metavar="FILE", help="the challenge that told the machine's key")
    whose.add_argument("--usage-key", type=Path, metavar="FILE", help="the machine's key itself")


def _verify(given: Namespace) -> Reply:
    key = _public_key(given)
    head: ChainHead | None = None
    lines, documents = [], []
    for path in given.export:
        try:
            export = read_export(read_token_file(path, limit=MAX_BYTES), key)
            require_continues(export, head)
        except UsageExportInvalidError as error:
            return _refusal(error, export=str(path))
        head = head_of(export)
        documents.append(_document(export))
        lines.append(_text(export))
    return Reply("\n".join(lines), {"code": "VALID", "valid": True, "exports": documents})


def _refusal(error: UsageLogError | UsageExportInvalidError, **more: str) -> Reply:
    document = {"code": error.code, "valid": False, "detail": error.detail} | more
    return Reply(": ".join([*more.values(), str(error)]), document, NO)


def _public_key(given: Namespace) -> PublicJwk:
    if given.challenge:
        return read_challenge(given.challenge.read_bytes()).usage_key
    return public_jwk(load_key(given.usage_key).public_key())


def _document(export: UsageExport) -> dict[str, object]:
    meters = {
        name: {
            "count": usage.count,
            "sum": amount_text(usage.sum),
            "counter": usage.counter,
            "total": amount_text(usage.total),
        }
        for name, usage in export.meters.items()
    }
    period = {"start": export.period.start, "end": export.period.end}
    told = {"license": export.license_sid, "seq": export.seq, "period": period, "meters": meters}
    return told | {"late_hours": len(export.late), "digest": export.digest}


def _text(export: UsageExport) -> str:
    title = f"VALID: export {export.seq} of {export.license_sid}"
    lines = [f"{title}, {date(export.period.start)} to {date(export.period.end)}"]
    lines += [f"  {name:<24} {amount_text(each.sum)} in {each.count}" for name, each in export.meters.items()]
    return "\n".join(lines)


RECORD = Question("Record one use, durably.", _record_arguments, _record)
EXPORT = Question("Give the signed export of a period.", _export_arguments, _export)
VERIFY = Question("Check the signature, the sums and the chain of exports.", _verify_arguments, _verify)
