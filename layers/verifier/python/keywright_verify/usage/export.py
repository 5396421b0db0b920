"""
The signed usage export as the importer reads it (docs/usage-export-format.md): typed values whose sums are right.

It opens no file and keeps no state; whether the export continues the ones before is asked in ``chain``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from keywright_verify import claims as rules
from keywright_verify.codes import Refused
from keywright_verify.encoding import decode_base64url, parse_canonical_object, sha256_text
from keywright_verify.jws import open_signed, token_bytes
from keywright_verify.keys import Key, KeySet
from keywright_verify.machine import PublicJwk, key_id, public_key
from keywright_verify.usage.amounts import add, is_amount, is_value
from keywright_verify.usage.values import HourUsage, MeterUsage, Period, UsageRecord, by_hour, is_meter, is_record_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TYPE = "usage-export+jwt"
MAX_BYTES = 32 * 1024 * 1024
_COUNT = rules.is_count
_METER = rules.is_exactly({"count": _COUNT, "sum": is_amount, "counter": _COUNT, "total": is_amount})
_HOUR = rules.is_exactly(
    {"start": rules.is_time, "meter": is_meter, "count": rules.is_positive}
    | {"sum": is_amount, "max": is_value, "last": is_value}
)
_RECORD = rules.is_exactly({"id": is_record_id, "meter": is_meter, "time": rules.is_time, "value": is_value})
_RULES: dict[str, rules.Rule] = {
    "lid": rules.is_name,
    "seq": rules.is_positive,
    "prev": lambda value: value is None or rules.is_sha256(value),
    "period": rules.is_exactly({"start": rules.is_time, "end": rules.is_time}),
    "meters": lambda value: isinstance(value, dict) and all(is_meter(k) and _METER(v) for k, v in value.items()),
    "hours": rules.is_list_of(_HOUR),
    "created_at": rules.is_time,
}
_OPTIONAL = {"records": rules.is_list_of(_RECORD)}


class UsageExportInvalidError(ValueError):
    """
    The export cannot be believed, or does not continue the ones before. ``code`` is stable.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class UsageExport:
    """
    An export whose signature and sums are right.
    """

    license_sid: str
    seq: int
    prev: str | None
    """The digest of the export before; none in the first."""
    period: Period
    meters: Mapping[str, MeterUsage]
    """Every meter that the chain has seen, also those without use in this period."""
    hours: tuple[HourUsage, ...]
    records: tuple[UsageRecord, ...] | None
    """The single uses, where the customer chose to tell them."""
    created_at: int
    kid: str
    digest: str

    @property
    def late(self) -> tuple[HourUsage, ...]:
        """Give the hours before the period: uses that were recorded after their own period's export."""
        return tuple(hour for hour in self.hours if hour.start < self.period.start)


def read_export(text: str | bytes, key: PublicJwk) -> UsageExport:
    """
    Check the signature against the machine's public key, and the sums against each other.

    :raises UsageExportInvalidError: with the reason
    """
    public = public_key(key)
    keys = KeySet([Key(key_id(public), public)])
    try:
        signed = open_signed(text, keys, typ=TYPE, limit=MAX_BYTES)
        claims = rules.read_claims(signed, _RULES, _OPTIONAL)
    except Refused as refused:
        raise UsageExportInvalidError(refused.code, refused.detail) from refused
    export = _export(claims, kid=signed.key.kid, digest=sha256_text(token_bytes(text, limit=MAX_BYTES)))
    _check_times(export)
    _check_sums(export)
    _check_records(export)
    return export


def claimed_key_id(text: str | bytes) -> str | None:
    """
    Say which key an export claims to be signed with: good for looking that key up, and for nothing else.
    """
    raw = text.encode() if isinstance(text, str) else text
    try:
        kid = parse_canonical_object(decode_base64url(raw[:1024].partition(b".")[0])).get("kid")
    except ValueError:
        return None
    return kid if isinstance(kid, str) else None


def _export(claims: dict[str, Any], *, kid: str, digest: str) -> UsageExport:
    meters = {
        name: MeterUsage(each["count"], Decimal(each["sum"]), each["counter"], Decimal(each["total"]))
        for name, each in claims["meters"].items()
    }
    records = claims.get("records")
    return UsageExport(
        license_sid=claims["lid"],
        seq=claims["seq"],
        prev=claims["prev"],
        period=Period(**claims["period"]),
        meters=MappingProxyType(meters),
        hours=tuple(HourUsage(**(each | _decimals(each, "sum", "max", "last"))) for each in claims["hours"]),
        records=None
        if records is None
        else tuple(UsageRecord(**(each | _decimals(each, "value"))) for each in records),
        created_at=claims["created_at"],
        kid=kid,
        digest=digest,
    )


def _decimals(entry: dict[str, str], *names: str) -> dict[str, Decimal]:
    return {name: Decimal(entry[name]) for name in names}


def _check_times(export: UsageExport) -> None:
    period = export.period
    _require(period.start < period.end <= export.created_at, "period and created_at are out of order")
    _require((export.seq == 1) == (export.prev is None), "prev is null in the first export, and only there")
    places = [(hour.start, hour.meter) for hour in export.hours]
    _require(all(one < other for one, other in pairwise(places)), "hours are not sorted by start and meter")
    _require(all(hour.is_hour_of(period) for hour in export.hours), "an hour does not begin where an hour may")


def _check_sums(export: UsageExport) -> None:
    counts, sums = dict.fromkeys(export.meters, 0), dict.fromkeys(export.meters, Decimal(0))
    for hour in export.hours:
        _require(hour.meter in export.meters, f"meter {hour.meter} is not among the meters")
        _require(hour.last <= hour.max <= hour.sum, f"an hour of {hour.meter} contradicts itself")
        counts[hour.meter] += hour.count
        sums[hour.meter] = add(sums[hour.meter], hour.sum)
    for name, usage in export.meters.items():
        _require((usage.count, usage.sum) == (counts[name], sums[name]), f"meter {name} is not the sum of its hours")
        _require(usage.counter >= usage.count and usage.total >= usage.sum, f"meter {name} counts backwards")


def _check_records(export: UsageExport) -> None:
    if export.records is None:
        return
    _require(_is_rising(each.time for each in export.records), "records are not sorted by time")
    _require(len({each.id for each in export.records}) == len(export.records), "a record stands there twice")
    _require(all(each.time < export.period.end for each in export.records), "a record is later than the period")
    _require(tuple(by_hour(export.records, export.period)) == export.hours, "the hours are not those of the records")


def _is_rising(times: Iterable[int]) -> bool:
    return all(one <= other for one, other in pairwise(times))


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001  it reads as a sentence
    if not holds:
        raise UsageExportInvalidError("CLAIMS_INVALID", otherwise)
