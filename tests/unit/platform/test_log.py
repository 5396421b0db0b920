"""No secret and no address of a person reaches a log line, whatever is logged."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest

from keywright.platform import log

SECRETS = {
    "Stripe key": "sk_live_51HxCanaryCanaryCanary",
    "restricted key": "rk_test_51HxCanaryCanaryCanary",
    "webhook secret": "whsec_CanaryCanaryCanary",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDYW5hcnkifQ.CanaryCanary",
    "private key": "-----BEGIN PRIVATE KEY-----\nCanaryCanary\n-----END PRIVATE KEY-----",
}
FIELDS = [
    "password",
    "new_password",
    "client_secret",
    "refresh_token",
    "Authorization",
    "api_key",
    "private_pem",
    "set-cookie",
    "stripe_signature",
]


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """What the container's log stream would receive."""
    log.info("the logger exists from now on")
    (handler,) = logging.getLogger("keywright").handlers
    assert isinstance(handler, logging.StreamHandler)
    stream = io.StringIO()
    before = handler.setStream(stream)
    yield stream
    handler.setStream(before)


@pytest.fixture(params=["info", "warning", "error"])
def line(request: pytest.FixtureRequest, output: io.StringIO) -> Callable[..., str]:
    """Log at some level while an exception that quotes everything is being handled; return what is written."""

    def write(message: str, **fields: object) -> str:
        try:
            raise RuntimeError(str(fields))  # noqa: TRY301  (what its message says must not be seen)
        except RuntimeError:
            getattr(log, request.param)(message, **fields)
        return output.getvalue()

    return write


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_a_secret_is_recognized_by_its_form_wherever_it_stands(secret, line):
    written = line("trouble", detail=f"it said {secret}!", nested={"deep": [secret, {"deeper": (secret,)}]})

    assert "Canary" not in written
    assert "it said" in written


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_with_a_secret_name_is_never_written(name, line):
    written = json.loads(line("trouble", **{name: "hunter2", "inner": {name: "hunter2"}}))

    assert (written[name], written["inner"]) == ("[redacted]", {name: "[redacted]"})


@pytest.mark.parametrize("address", ["ada.lovelace@example.com", "ada+tag@mail.example.co.uk"])
def test_an_address_is_shortened_to_what_helps_to_find_it(address, line):
    written = line("mail refused", reason=f"<{address}> bounced")

    assert address not in written
    assert "lovelace" not in written
    assert f"@{address.split('@')[1]}" in written


def test_what_is_no_secret_is_written_as_it_is(output):
    log.info("event folded", event_id="evt_1", amounts=[1, 2], where={"domain": "example.com"})

    written = json.loads(output.getvalue())
    assert (written["message"], written["event_id"], written["amounts"]) == ("event folded", "evt_1", [1, 2])
    assert (written["where"], written["level"]) == ({"domain": "example.com"}, "INFO")


def test_a_line_is_one_line_even_if_its_values_are_not(output):
    log.info("forged", value='x\n{"level": "INFO", "message": "login ok"}')

    assert len(output.getvalue().splitlines()) == 1


def test_lines_carry_the_correlation_id_that_is_bound(output):
    log.bind(correlation_id="request-1")
    log.info("first")
    log.unbind()
    log.info("second")

    first, second = (json.loads(text) for text in output.getvalue().splitlines())
    assert first["correlation_id"] == "request-1"
    assert "correlation_id" not in second
