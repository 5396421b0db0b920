from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.domains import rules
from keywright.domains.models import Domain, DomainNameInvalid, DomainState


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("example.com", "example.com"),
        (" App.Example.COM ", "app.example.com"),
        ("example.com.", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("1password.example", "1password.example"),
        ("1.2.3.4.in-addr.arpa", "1.2.3.4.in-addr.arpa"),
        ("a." * 119 + "com", "a." * 119 + "com"),
        ("aa." + "a." * 118 + "com.", "aa." + "a." * 118 + "com"),
    ],
)
def test_a_name_has_one_form(text: str, name: str) -> None:
    assert rules.normalize_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "localhost",
        "com.",
        "example..com",
        "example.com..",
        ".example.com",
        "*.example.com",
        "https://example.com",
        "example.com:443",
        "example.com/path",
        "user@example.com",
        "under_score.example",
        "-a.example",
        "a-.example",
        "a b.example",
        "example\n.com",
        "nul\x00.example",
        "127.0.0.1",
        "１２７.0.0.1",  # noqa: RUF001  (full-width digits are digits to the mapping)
        "256.1.1.1",
        "0x7f.1",
        "example.0xab",
        "1.2",
        "::1",
        "[::1]",
        "2001:db8::1",
        "xn--a.example",
        "\u200dexample.com",
        "a" * 64 + ".example",
        "a." * 120 + "com",
        "a." * 125 + "com",
        "a." * 127 + "com",
    ],
)
def test_what_is_no_public_host_name_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(DomainNameInvalid) as refusal:
        rules.normalize_name(text)

    assert [wrong.field for wrong in refusal.value.errors] == ["body.domain_name"]


@given(st.text(st.sampled_from("aZ9-._ é。ß*:/ß\u200d\uff10\uff58"), max_size=40))
def test_normalizing_twice_changes_nothing(text: str) -> None:
    try:
        name = rules.normalize_name(text)
    except DomainNameInvalid:
        return

    assert rules.normalize_name(name) == name
    assert name.isascii()
    assert name == name.lower()


@pytest.mark.parametrize(
    "longest", ["a." * 119 + "com", "aa." + "a." * 118 + "com", "bü." * 10 + "aa." + "a." * 68 + "com"]
)
def test_the_record_of_the_longest_name_can_be_asked_for(longest: str) -> None:
    name = rules.normalize_name(longest)
    domain = Domain("dom_1", "cus_1", name, DomainState.PENDING, "random", datetime(2026, 1, 1, tzinfo=UTC))

    asked = dns.name.from_text(f"{rules.verification_record(domain).name}.")

    assert len(asked.to_text(omit_final_dot=True)) in {252, 253}


def test_an_unproven_name_is_looked_for_less_and_less_often_and_for_two_weeks() -> None:
    claimed = at = datetime(2026, 1, 1, tzinfo=UTC)
    waits: list[timedelta] = []

    while (due := rules.next_check(DomainState.PENDING, failed=len(waits), now=at)) is not None:
        waits.append(due - at)
        at = due

    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(minutes=10), timedelta(days=1))
    assert timedelta(days=13) < at - claimed <= timedelta(days=14)


def test_a_proven_name_is_looked_at_daily_and_one_that_was_lost_is_not() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert rules.next_check(DomainState.VERIFIED, failed=99, now=now) == now + timedelta(days=1)
    assert rules.next_check(DomainState.STALE, failed=0, now=now) is None


def test_the_record_that_proves_a_name_stands_below_it() -> None:
    domain = Domain("dom_1", "cus_1", "example.com", DomainState.PENDING, "random", datetime(2026, 1, 1, tzinfo=UTC))

    record = rules.verification_record(domain)

    assert record.name == "_keywright.example.com"
    assert record.value == "keywright-verification=random"
