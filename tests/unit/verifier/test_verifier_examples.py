"""
The examples work as they stand: the WSGI middleware under Flask's own rules, and the shell script with OpenSSL.
"""

import importlib.util
import json
import os
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any, cast
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import flask
import pytest
from werkzeug.test import Client

from tests.unit.verifier.corpus import Vector, headers, spellings
from tests.unit.verifier.issuer import DAY, DOMAIN, KEY, NOW, issue, issue_answer, issue_revocations, revocation
from tests.unit.verifier.judges import KEYS, LAYER

EXP = NOW + 30 * DAY
SCRIPT = LAYER / "examples/verify.sh"


def load_middleware() -> Any:
    spec = importlib.util.spec_from_file_location("flask_middleware", LAYER / "examples/flask_middleware.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXAMPLE = load_middleware()


class Shop:
    """A licensed product on a machine whose clock the test holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOW
        check = EXAMPLE.LicenseCheck(
            KEYS,
            folder / "license.jwt",
            domain=DOMAIN,
            audience="orbit",
            mark_path=folder / "mark",
            revocations_path=folder / "revocations.jwt",
            clock=lambda: self.now,
        )
        # The validator refuses whatever breaks the rules between a WSGI server and an application.
        self.app = validator(EXAMPLE.LicenseMiddleware(validator(product), check))

    def get(self, path: str = "/") -> tuple[str, bytes]:
        environ: dict[str, object] = {"PATH_INFO": path, "QUERY_STRING": "", "SCRIPT_NAME": ""}
        setup_testing_defaults(environ)
        status: list[str] = []

        def start_response(line: str, _headers: Any, _error: Any = None, /) -> Any:
            status.append(line)

        with closing(cast("Any", self.app(environ, start_response))) as answer:
            return status[0], b"".join(answer)


def product(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"verdict {environ[EXAMPLE.ENVIRON_KEY].code}".encode()]


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "license.jwt").write_text(issue() + "\n")
    return Shop(tmp_path)


def test_a_licensed_application_answers(shop):
    assert shop.get() == ("200 OK", b"verdict VALID")
    assert shop.get() == ("200 OK", b"verdict VALID")


@pytest.mark.parametrize(
    ("changes", "code"), [({"domain": "other.example.com"}, "DOMAIN_MISMATCH"), ({"exp": NOW}, "EXPIRED")]
)
def test_an_application_without_a_license_for_it_says_why_and_nothing_else(shop, changes, code):
    (shop.folder / "license.jwt").write_text(issue(**changes))

    status, body = shop.get()

    assert (status, json.loads(body)["code"]) == ("403 Forbidden", code)
    assert b"example.com" not in body


def test_a_missing_license_is_malformed_and_health_stays_open(shop):
    (shop.folder / "license.jwt").unlink()

    assert json.loads(shop.get()[1])["code"] == "MALFORMED"
    assert shop.get("/health") == ("200 OK", b"verdict MALFORMED")


def test_a_renewed_license_counts_at_the_next_request(shop):
    shop.now = EXP
    before = shop.get()[0]

    (shop.folder / "license.jwt").write_text(issue(seq=4, exp=EXP + DAY, grace_until=EXP + DAY))

    assert (before, shop.get()[0]) == ("403 Forbidden", "200 OK")


def test_an_expired_license_does_not_come_back_with_the_clock(shop):
    answers = []
    for now in (NOW, EXP, EXP - 1, NOW):
        shop.now = now
        status, body = shop.get()
        answers.append("VALID" if status == "200 OK" else json.loads(body)["code"])

    assert answers == ["VALID", "EXPIRED", "EXPIRED", "CLOCK_ROLLBACK"]


def test_a_revocation_list_that_is_carried_in_counts_and_a_damaged_one_stops_nobody(shop):
    (shop.folder / "revocations.jwt").write_text("damaged")
    before = shop.get()[0]

    (shop.folder / "revocations.jwt").write_text(issue_revocations(revoked=[revocation("lic_0192")]))

    assert (before, json.loads(shop.get()[1])["code"]) == ("200 OK", "REVOKED")


def test_the_example_fits_flask(shop):
    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=lambda: flask.request.environ[EXAMPLE.ENVIRON_KEY].code)
    check = EXAMPLE.LicenseCheck(KEYS, shop.folder / "license.jwt", domain=DOMAIN, clock=lambda: NOW)
    client = Client(EXAMPLE.LicenseMiddleware(app, check))

    assert client.get("/").text == "VALID"


def by_shell(
    folder: Path, token: bytes, *, domain: str = DOMAIN, now: int = NOW, script: Path = SCRIPT
) -> tuple[int, str]:
    (folder / "license.jwt").write_bytes(token)
    done = subprocess.run(
        ["sh", str(script), "license.jwt", domain, str(now)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "KEY_ID": KEY.kid, "KEY_X": KEY.jwk()["x"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == "", done.stderr
    return done.returncode, done.stdout.partition(":")[0]


@pytest.mark.parametrize(
    ("changes", "asked", "code"),
    [
        ({}, {}, "VALID"),
        ({"fingerprint": "fp-1"}, {}, "VALID"),
        ({}, {"domain": "SHOP.example.com."}, "VALID"),
        ({}, {"domain": "other.example.com"}, "DOMAIN_MISMATCH"),
        ({}, {"now": EXP - 1}, "VALID"),
        ({}, {"now": EXP}, "EXPIRED"),
        ({}, {"now": NOW - DAY - 301}, "NOT_YET_VALID"),
        ({"enforcement": "grace"}, {"now": EXP}, "VALID"),
        ({"enforcement": "grace"}, {"now": NOW + 37 * DAY}, "EXPIRED"),
        ({"enforcement": "advisory"}, {"now": NOW + 370 * DAY}, "VALID"),
        ({"entitlements": {"exp": 1, "domain": "other.example.com"}}, {}, "VALID"),
    ],
)
def test_the_shell_script_judges_period_and_domain(tmp_path, changes, asked, code):
    answer = by_shell(tmp_path, issue(**changes).encode(), **asked)

    assert answer == (0 if code == "VALID" else 1, code)


def test_the_shell_script_takes_a_file_that_an_editor_ended_with_a_line(tmp_path):
    assert by_shell(tmp_path, issue().encode() + b"\n") == (0, "VALID")


def test_the_shell_script_refuses_forgeries(tmp_path):
    """Each vector about form, header or signature; those about the content need the full verifier."""
    flips = [(place, bytearray(issue().encode())) for place in range(3, 800, 101)]
    for place, raw in flips:
        raw[place] ^= 1
    vectors = [Vector(f"flip {place}", bytes(raw)) for place, raw in flips]
    # Every fifth suffices here: each costs a dozen processes.
    vectors += [each for each in [*spellings(), *headers()][::5] if each.name != "new line at the end"]
    vectors += [Vector("answer", issue_answer().encode()), Vector("list", issue_revocations().encode())]

    passed = [each.name for each in vectors if by_shell(tmp_path, each.token)[0] != 1]

    assert passed == []
    assert len(vectors) > 25


@pytest.mark.parametrize(
    ("check", "name"),
    [
        ('[ "$(cat "$work/header")" = "$expected" ]', "typ at+jwt"),
        ('[ "$again" = "$text" ]', "stray bits"),
        ('[ "$now" -lt "$end" ]', "expired"),
    ],
)
def test_a_shell_script_without_a_check_is_caught(tmp_path, check, name):
    text = SCRIPT.read_text()
    careless = tmp_path / "careless.sh"
    careless.write_text(text.replace(check, "true"))
    hostile = [*spellings(), *headers(), Vector("expired", issue(exp=NOW).encode())]
    token = next(vector.token for vector in hostile if vector.name == name)

    answers = [by_shell(tmp_path, token, script=script)[0] for script in (SCRIPT, careless)]

    assert text.count(check) == 1
    assert answers == [1, 0]


@pytest.mark.parametrize("missing", ["KEY_ID", "KEY_X", "license.jwt"])
def test_the_shell_script_says_when_it_cannot_be_asked(tmp_path, missing):
    (tmp_path / "license.jwt").write_text(issue())
    (tmp_path / missing).unlink(missing_ok=True)
    environment = {"PATH": os.environ["PATH"], "KEY_ID": KEY.kid, "KEY_X": KEY.jwk()["x"]}
    environment.pop(missing, None)
    command = ["sh", str(SCRIPT), "license.jwt", DOMAIN]

    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (2, b"")
