"""
What is written into a request besides what its description suggests: names of rows that are there, and odd values.

Values that fit a description hardly ever name anything; without these no request would come past the first look-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tests.security.requests import PARAMETERS
from tests.security.targets import CANARY, CHALLENGE, TARGETS, license_file, sid
from tests.security.world import PASSWORD

Words = Mapping[str, tuple[Any, ...]]

_LONG = 70_000

ODD_TEXTS: tuple[str, ...] = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\x7f",
    "\r\nx-evil: 1",
    "\ufeff",
    "\u202egnp.exe",
    "\u2028",
    "ß",
    "İ",
    "e\u0301",
    "💩",
    "\U0010ffff",
    "%00",
    "%",
    "_",
    "' OR 1=1 -- ",
    "\\",
    "../../etc/passwd",
    "null",
    "-1",
    "1e400",
    "NaN",
    "٣",
    "9" * 40,
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "2026-02-30",
    "2026-11-22T12:00:00.123456789Z",
    "MToB",
    "MTp4",
    "MTo5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    "a,b",
    "a" * 256,
    "💩" * 64,
    "a" * _LONG,
)
ODD_NUMBERS: tuple[Any, ...] = (0, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 0.1, 1e300)
ODD_VALUES: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"": ""})

_EMAILS = (
    "usr_own@example.com",
    "peer@example.com",
    f"{CANARY}@example.com",
    "guest@example.com",
    "a@ex\u0301ample.com",
)
_DAYS = ("2026-11-22", "2026-12-31", "2027-02-28", "9999-12-31", "0001-01-01")
_TIMES = ("2026-11-22T12:00:00Z", "2026-11-22T12:00:00+14:00", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z")


def words() -> dict[str, tuple[Any, ...]]:
    """Return, by the name of a parameter or field, values that mean something in the world of these tests."""
    sids = {name: tuple(sid(kind, target) for target in TARGETS) for name, kind in PARAMETERS.items()}
    return sids | {
        "session_sid": ("ses_own_user-live", "ses_foreign"),
        "activation_sid": ("act_own", "act_foreign"),
        "price_id": ("price_1", "price_absent"),
        "product_id": ("prod_1", "prod_2", "prod_3"),
        "item_id": ("si_own", "si_foreign"),
        "email": _EMAILS,
        "billing_email": _EMAILS,
        "password": (PASSWORD, "another horse entirely"),
        "current_password": (PASSWORD,),
        "new_password": ("another horse entirely", PASSWORD),
        "token": ("token-own", "token-of-inv_user-live", "token-of-inv_foreign"),
        "license": (license_file("own"), license_file("foreign")),
        "challenge": (CHALLENGE,),
        "domain_name": ("own.example.com", "new.example.org", "xn--bcher-kva.example", "bücher.example", "localhost"),
        "domain": ("own.example.com", f"{CANARY}.example.com"),
        "currency": ("usd", "eur", "jpy", "xxx"),
        "locale": ("en", "de-DE", "zh-Hant-TW", "xx"),
        "time_zone": ("UTC", "Europe/Madrid", "Mars/Olympus"),
        "quantity": (1, 0, 10**6, 10**12, 2**63 - 1),
        "quantities": ((1, 10), (10**12,)),
        "amount_minor": (1, 4900, 10**15),
        "limit": (1, 100),
        "cursor": ("MTp1c3Jfb3du", "MTo", "MTowMDAw"),
        "return_url": ("https://portal.example.test/x", "https://evil.example"),
        "meter": ("api_calls", "users", "nothing"),
        "scheme": ("FLAT", "PER_UNIT", "GRADUATED", "VOLUME"),
        "unit_amount": ("1000", "0", "999999999999999.999999999999"),
        "starts_on": _DAYS,
        "ends_on": _DAYS,
        "effective_on": _DAYS,
        "ends_before": _DAYS,
        "from": _TIMES,
        "to": _TIMES,
        "time": _TIMES,
        "begins": _TIMES,
        "ends": _TIMES,
        "since": _TIMES,
        "effective_as_of": _TIMES,
        "known_as_of": _TIMES,
    }


def odd_value() -> st.SearchStrategy[Any]:
    """Return values that fit hardly any field."""
    return st.sampled_from([*ODD_TEXTS, *ODD_NUMBERS, *ODD_VALUES])


@st.composite
def mixed(draw: st.DrawFn, value: Any, *, known: Words, name: str = "", rarely: int = 6) -> Any:
    """Return the value with some of its leaves replaced, each by something known under its name or by something odd."""
    if isinstance(value, dict) and value:
        return {key: draw(mixed(item, known=known, name=str(key), rarely=rarely)) for key, item in value.items()}
    if isinstance(value, list) and value:
        return [draw(mixed(item, known=known, name=name, rarely=rarely)) for item in value[:5]]
    chance = draw(st.integers(0, 2 * rarely))
    if chance < rarely and (meant := known.get(name)):
        return draw(st.sampled_from(meant))
    return draw(odd_value()) if chance == 2 * rarely else value
