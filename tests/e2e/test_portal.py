"""The portal as a customer uses it: its own modules in Node, from signing up to the license file, over a stack."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.demo.inbox import wait_for_token
from infra.local.demo.payment import pay
from tests.e2e.test_dev_stack import DEADLINE_S, dev, endpoints_of
from tests.portal.modules import workshop

Report = dict[str, Any]
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def endpoints() -> Iterator[dict[str, str]]:
    # The database's own account has to enter the folder, and may not enter pytest's.
    state = Path(tempfile.mkdtemp(prefix="keywright-"))
    state.chmod(0o755)
    try:
        with dev(state) as process:
            yield endpoints_of(process, state)
            process.terminate()
            process.wait(DEADLINE_S)
    finally:
        shutil.rmtree(state)


def answer(question: Report, endpoints: dict[str, str]) -> str:
    if question["need"] == "token":
        return wait_for_token(endpoints["mailbox_url"], address=question["email"])
    return pay(question["url"], email=question["email"])


@pytest.fixture(scope="module")
def visit(endpoints: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = workshop(tmp_path_factory.mktemp("portal"))
    command = ["node", "visit.mjs", endpoints["api_url"], endpoints["portal_url"]]
    with subprocess.Popen(
        command, cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as node:
        assert node.stdin
        assert node.stdout
        assert node.stderr
        for line in node.stdout:
            question = json.loads(line)
            if report := question.get("report"):
                node.stdin.close()
                return dict(report)
            print(json.dumps(answer(question, endpoints)), file=node.stdin, flush=True)
        raise AssertionError(node.stderr.read())


def test_a_customer_buys_a_license_by_the_portals_pages_alone(visit: Report):
    assert visit["landed"] == "/checkout/success"
    assert "123.45" in visit["preview"]
    assert "What other quantities cost" in visit["preview"]
    assert "Paid and licensed." in visit["done"]
    assert visit["file"].count(".") == 2
    assert "ACTIVE" in visit["list"]


def test_a_license_is_shown_with_the_reason_for_its_state(visit: Report):
    assert "This license is active." in visit["license"]
    assert "It is paid (" in visit["license"]
    assert "This decides" in visit["license"]


def test_a_domain_is_shown_with_its_record_and_what_was_found(visit: Report):
    assert "TXT" in visit["looked"]
    assert "Looked up" in visit["looked"]
    assert "found" in visit["looked"]


def test_money_is_shown_and_stripes_portal_opened(visit: Report, endpoints: dict[str, str]):
    assert "123.45 USD" in visit["billing"]
    assert "Renews" in visit["billing"]
    assert visit["billingPortal"].startswith(endpoints["stripe_api_url"])


def test_the_refresh_token_is_rotated_and_gone_after_logging_out(visit: Report):
    assert visit["isRotated"] is True
    assert visit["isLoggedOut"] is True


@pytest.mark.parametrize("path", ["/", "/verify-email", "/licenses/lic_any", "/checkout/success"])
def test_every_address_that_mails_and_stripe_lead_to_shows_the_page(endpoints: dict[str, str], path: str):
    page = httpx.get(endpoints["portal_url"] + path, timeout=30, trust_env=False)

    assert page.status_code == 200
    assert 'src="/portal.js"' in page.text
    assert f"connect-src 'self' {endpoints['api_url']};" in page.headers["content-security-policy"]


def test_the_page_learns_where_the_api_is(endpoints: dict[str, str]):
    settings = httpx.get(endpoints["portal_url"] + "/settings.json", timeout=30, trust_env=False)

    assert settings.json() == {"api_url": endpoints["api_url"]}
