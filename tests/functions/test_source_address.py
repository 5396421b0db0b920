"""The address that a request is counted by: API Gateway's word, or CloudFront's, if it proves that it is ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest

from keywright.platform import edge, secrets
from keywright.platform.errors import SettingMissing
from tests.api import Api
from tests.conftest import Database

KEY, PREVIOUS = "k" * 43, "p" * 43
CONNECTED = "192.0.2.7"


@pytest.fixture
def distribution(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Deploy behind a distribution: its secret is there."""
    vault = boto3.client("secretsmanager")
    vault.create_secret(Name="keywright/EDGE", SecretString=json.dumps({"key": KEY, "previous": PREVIOUS}))
    monkeypatch.setenv("KEYWRIGHT_EDGE_SECRET", "keywright/EDGE")
    secrets.forget()
    yield
    vault.delete_secret(SecretId="keywright/EDGE", ForceDeleteWithoutRecovery=True)
    secrets.forget()


def asked(headers: Mapping[str, str], *, connected: str = CONNECTED) -> dict[str, Any]:
    return {"headers": dict(headers), "requestContext": {"http": {"sourceIp": connected}}}


def believing(event: Mapping[str, Any]) -> str:
    """Take the header for true, whoever sends it: what must be caught."""
    return str(event["headers"].get("cloudfront-viewer-address", CONNECTED)).rpartition(":")[0]


FORGED: list[dict[str, str]] = [
    {"cloudfront-viewer-address": "203.0.113.9:1"},
    {"x-keywright-edge": "", "cloudfront-viewer-address": "203.0.113.9:1"},
    {"x-keywright-edge": "k", "cloudfront-viewer-address": "203.0.113.9:1"},
    {"x-keywright-edge": "K" * 43, "cloudfront-viewer-address": "203.0.113.9:1"},
    {"x-keywright-edge": f"{KEY},{KEY}", "cloudfront-viewer-address": "203.0.113.9:1"},
    {"x-keywright-edge": f" {KEY}", "cloudfront-viewer-address": "203.0.113.9:1"},
    {"x-keywright-edge": "é" * 43, "cloudfront-viewer-address": "203.0.113.9:1"},
    {"x-forwarded-for": "203.0.113.9", "x-real-ip": "203.0.113.9", "forwarded": "for=203.0.113.9"},
    {"x-keywright-edge": KEY, "x-forwarded-for": "203.0.113.9"},
]


def spoofed(read: Any) -> list[dict[str, str]]:
    return [headers for headers in FORGED if read(asked(headers)) != CONNECTED]


@pytest.mark.usefixtures("distribution")
def test_nobody_chooses_their_own_address() -> None:
    assert spoofed(edge.source_address) == []


@pytest.mark.usefixtures("distribution")
def test_a_reader_that_believes_the_header_alone_is_caught() -> None:
    assert spoofed(believing) != []


@pytest.mark.usefixtures("distribution")
@pytest.mark.parametrize("key", [KEY, PREVIOUS])
@pytest.mark.parametrize(
    ("viewer", "address"),
    [
        ("198.51.100.7:46532", "198.51.100.7"),
        ("2001:db8::1:46532", "2001:db8::1"),
        ("2001:0DB8:0:0:0:0:0:1:46532", "2001:db8::1"),
        ("[2001:db8::1]:46532", "2001:db8::1"),
        ("::ffff:198.51.100.7:443", "198.51.100.7"),
    ],
)
def test_the_distribution_is_believed(viewer: str, address: str, key: str) -> None:
    headers = {"X-Keywright-Edge": key, "CloudFront-Viewer-Address": viewer}

    assert edge.source_address(asked(headers)) == address


@pytest.mark.usefixtures("distribution")
@pytest.mark.parametrize(
    "viewer", ["", "nonsense", "198.51.100.7", "198.51.100.7:", "198.51.100.7:x", "300.1.1.1:1", ":1"]
)
def test_a_header_that_names_no_address_leaves_the_one_that_connected(viewer: str) -> None:
    headers = {"x-keywright-edge": KEY, "cloudfront-viewer-address": viewer}

    assert edge.source_address(asked(headers)) == CONNECTED


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("proof", [KEY, "", "None"])
def test_a_deployment_without_a_distribution_believes_no_header(proof: str) -> None:
    headers = {"x-keywright-edge": proof, "cloudfront-viewer-address": "203.0.113.9:1"}

    assert edge.source_address(asked(headers)) == CONNECTED


@pytest.mark.usefixtures("distribution")
@pytest.mark.parametrize("secret", [{}, {"key": ""}, {"key": "short"}, {"key": KEY, "previous": ""}])
def test_a_secret_that_anybody_could_guess_is_none(secret: dict[str, str]) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId="keywright/EDGE", SecretString=json.dumps(secret))

    with pytest.raises(SettingMissing):
        edge.source_address(asked({"x-keywright-edge": "", "cloudfront-viewer-address": "203.0.113.9:1"}))


@pytest.mark.usefixtures("distribution")
def test_guesses_through_the_distribution_are_counted_by_the_clients_address(call: Api, database: Database) -> None:
    def guess(viewer: str, proof: str) -> None:
        headers = {"x-keywright-edge": proof, "cloudfront-viewer-address": viewer}
        call("auth", "POST", "/v1/auth/login", body={"email": "a@example.com", "password": "wrong"}, headers=headers)

    def buckets() -> int:
        (row,) = database.execute("SELECT COUNT(*) AS number FROM throttles")
        return int(row["number"])

    guess("198.51.100.7:1", KEY)
    one = buckets()
    guess("198.51.100.7:2", KEY)
    same = buckets()
    guess("198.51.100.8:1", KEY)
    another = buckets()
    guess("198.51.100.9:1", "forged")
    guess("198.51.100.10:1", "forged")

    assert (same - one, another - same, buckets() - another) == (0, 1, 1)
