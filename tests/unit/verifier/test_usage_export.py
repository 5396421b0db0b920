"""
The usage export as its importer reads it: nothing altered, contradictory or out of its chain is believed.
"""

import base64
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keywright_verify.machine import key_id, public_jwk
from keywright_verify.usage import (
    Period,
    UsageExportInvalidError,
    UsageLog,
    amount,
    amount_text,
    claimed_key_id,
    head_of,
    read_export,
    require_continues,
)
from tests.unit.verifier.issuer import b64, dump, issue

KEY = Ed25519PrivateKey.from_private_bytes(b"m" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"n" * 32)
PUBLIC = public_jwk(KEY.public_key())
KID = key_id(KEY.public_key())
HOUR = 3_600
START = 1_798_761_600
CLAIMS: dict[str, Any] = {
    "lid": "lic_1",
    "seq": 1,
    "prev": None,
    "period": {"start": START, "end": START + 2 * HOUR},
    "meters": {"calls": {"count": 2, "sum": "3.5", "counter": 2, "total": "3.5"}},
    "hours": [
        {"start": START, "meter": "calls", "count": 1, "sum": "1.5", "max": "1.5", "last": "1.5"},
        {"start": START + HOUR, "meter": "calls", "count": 1, "sum": "2", "max": "2", "last": "2"},
    ],
    "records": [
        {"id": "a", "meter": "calls", "time": START, "value": "1.5"},
        {"id": "b", "meter": "calls", "time": START + HOUR, "value": "2"},
    ],
    "created_at": START + 2 * HOUR,
}


def signed(claims: dict[str, Any], key: Ed25519PrivateKey = KEY, typ: str = "usage-export+jwt") -> str:
    """Sign as the format page says, without the package that is tested."""
    header = {"alg": "EdDSA", "kid": key_id(key.public_key()), "typ": typ, "v": 1}
    message = f"{b64(dump(header))}.{b64(dump(claims))}"
    return f"{message}.{b64(key.sign(message.encode()))}"


def changed(**changes: object) -> dict[str, Any]:
    return {name: value for name, value in (CLAIMS | changes).items() if value is not ...}


def hour(n: int = 0, **changes: object) -> list[dict[str, Any]]:
    return [entry | changes if i == n else entry for i, entry in enumerate(CLAIMS["hours"])]


def test_an_export_is_read_as_typed_values():
    export = read_export(signed(CLAIMS), PUBLIC)

    assert (export.license_sid, export.seq, export.prev, export.kid) == ("lic_1", 1, None, KID)
    assert export.period == Period(START, START + 2 * HOUR)
    assert export.meters["calls"].sum == Decimal("3.5")
    assert [each.max for each in export.hours] == [Decimal("1.5"), Decimal(2)]
    assert export.records is not None
    assert [each.id for each in export.records] == ["a", "b"]


def test_the_log_writes_what_an_independent_writer_would(tmp_path):
    with UsageLog(tmp_path / "usage.db", license_sid="lic_1") as log:
        log.record("calls", "1.50", START, "a")
        log.record("calls", 2, START + HOUR, "b")
        period = Period(START, START + 2 * HOUR)
        written = log.export(period, key=KEY, created_at=period.end, with_records=True)

    assert written == signed(CLAIMS)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_no_bit_of_an_export_can_be_flipped(part):
    text = signed(CLAIMS)
    begin = sum(len(each) + 1 for each in text.split(".")[:part])
    believed = []

    for bit in range(begin * 8, (begin + len(text.split(".")[part])) * 8, 3):
        raw = bytearray(text.encode())
        raw[bit // 8] ^= 1 << bit % 8
        try:
            believed.append(read_export(bytes(raw), PUBLIC))
        except UsageExportInvalidError:
            continue

    assert believed == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "MALFORMED"),
        (signed(CLAIMS) + "\n", "MALFORMED"),
        (signed(CLAIMS, typ="license+jwt"), "MALFORMED"),
        (issue(), "MALFORMED"),
        (signed(CLAIMS, OTHER), "KEY_UNKNOWN"),
    ],
)
def test_what_the_machine_did_not_sign_as_an_export_is_refused(text, code):
    with pytest.raises(UsageExportInvalidError, match=code):
        read_export(text, PUBLIC)


@pytest.mark.parametrize(
    "changes",
    [
        *({name: ...} for name in CLAIMS if name != "records"),
        {"seq": 0},
        {"seq": True},
        {"prev": "A" * 43},
        {"seq": 2},
        {"period": {"start": START, "end": START}},
        {"period": {"start": START}},
        {"period": {"start": START, "end": START + 2 * HOUR, "more": 1}},
        {"created_at": START + 2 * HOUR - 1},
        {"meters": {}},
        {"meters": {"calls": CLAIMS["meters"]["calls"] | {"sum": "3.50"}}},
        {"meters": {"calls": CLAIMS["meters"]["calls"] | {"sum": 3}}},
        {"meters": {"calls": CLAIMS["meters"]["calls"] | {"sum": "3.4"}}},
        {"meters": {"calls": CLAIMS["meters"]["calls"] | {"count": 3, "counter": 3}}},
        {"meters": {"calls": CLAIMS["meters"]["calls"] | {"counter": 1}}},
        {"meters": {"calls": CLAIMS["meters"]["calls"] | {"total": "3.4"}}},
        {"meters": {"a b": CLAIMS["meters"]["calls"]}},
        {"hours": []},
        {"hours": CLAIMS["hours"][::-1]},
        {"hours": hour(start=START + 1)},
        {"hours": hour(1, start=START + 2 * HOUR)},
        {"hours": hour(sum="-1.5")},
        {"hours": hour(sum="1.5e0")},
        {"hours": hour(sum="01.5")},
        {"hours": hour(max="9")},
        {"hours": hour(last="1.6")},
        {"hours": hour(count=0)},
        {"hours": hour(sum="1" * 16, max="1" * 16), "records": ...},
        {"records": None},
        {"records": CLAIMS["records"][:1]},
        {"records": CLAIMS["records"][::-1]},
        {"records": [*CLAIMS["records"], CLAIMS["records"][1]]},
        {"records": [CLAIMS["records"][0] | {"value": "1.6"}, CLAIMS["records"][1]]},
        {"records": [CLAIMS["records"][0], CLAIMS["records"][1] | {"id": "a"}]},
        {"records": [CLAIMS["records"][0], CLAIMS["records"][1] | {"time": START + 2 * HOUR}]},
    ],
)
def test_an_export_that_contradicts_itself_is_refused_although_it_is_signed(changes):
    with pytest.raises(UsageExportInvalidError, match="CLAIMS_INVALID"):
        read_export(signed(changed(**changes)), PUBLIC)


def test_an_export_says_which_key_to_look_up():
    assert claimed_key_id(signed(CLAIMS, OTHER)) == key_id(OTHER.public_key())
    assert [claimed_key_id(text) for text in ("", "x.y.z", "é", b64(b"[]"), b64(b'{"kid":7}'))] == [None] * 5


def chain(count: int = 3) -> list[str]:
    texts: list[str] = []
    for n in range(count):
        start = START + n * HOUR
        entry = {"start": start, "meter": "calls", "count": 1, "sum": "1.5", "max": "1.5", "last": "1.5"}
        total = amount_text(Decimal("1.5") * (n + 1))
        texts.append(
            signed(
                changed(
                    seq=n + 1,
                    prev=head_of(read_export(texts[-1], PUBLIC)).digest if texts else None,
                    period={"start": start, "end": start + HOUR},
                    meters={"calls": {"count": 1, "sum": "1.5", "counter": n + 1, "total": total}},
                    hours=[entry],
                    records=...,
                    created_at=start + HOUR,
                )
            )
        )
    return texts


CHAIN = [read_export(text, PUBLIC) for text in chain()]


def test_a_chain_is_imported_in_its_order():
    head = None
    for export in CHAIN:
        require_continues(export, head)
        head = head_of(export)

    assert head is not None
    assert (head.seq, head.counters) == (3, {"calls": (3, Decimal("4.5"))})


def test_what_is_out_of_its_chain_gets_a_code():
    first, second, third = CHAIN
    head = head_of(first)
    renamed = {"bytes": second.meters["calls"]}
    cases = {
        "ALREADY_IMPORTED": (first, head),
        "SEQUENCE_GAP": (third, head),
        "CHAIN_REWRITTEN": (replace(first, digest="other"), head),
        "PERIOD_OVERLAP": (replace(second, period=first.period), head),
        "COUNTER_MISMATCH": (replace(second, meters=renamed), head),
    }

    found = {code: refusal(*case) for code, case in cases.items()}

    assert found == {code: code for code in cases}
    assert refusal(second, None) == "SEQUENCE_GAP"
    assert refusal(replace(second, prev="other"), head) == "CHAIN_REWRITTEN"
    assert refusal(first, head_of(second)) == "CHAIN_REWRITTEN"


def test_a_counter_that_was_set_back_is_seen():
    head = head_of(CHAIN[0])
    forgetful = replace(CHAIN[1].meters["calls"], counter=1)
    cheaper = replace(CHAIN[1].meters["calls"], total=Decimal("1.5"))

    for usage in (forgetful, cheaper):
        assert refusal(replace(CHAIN[1], meters={"calls": usage}), head) == "COUNTER_MISMATCH"


def refusal(export: Any, head: Any) -> str | None:
    try:
        require_continues(export, head)
    except UsageExportInvalidError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("given", "text"),
    [("0", "0"), ("0.0", "0"), ("1E+2", "100"), ("1.10", "1.1"), ("0.000000000001", "0.000000000001"), (7, "7")],
)
def test_an_amount_has_one_spelling(given, text):
    assert amount_text(amount(given)) == text


def test_the_digest_is_that_of_the_files_bytes():
    import hashlib

    text = signed(CLAIMS)
    expected = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")

    assert read_export(text, PUBLIC).digest == expected
    assert json.loads(base64.urlsafe_b64decode(text.split(".")[0] + "=="))["kid"] == KID
