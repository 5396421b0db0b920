"""With a license key that never leaves AWS KMS, each function may do what it does, and no more."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keywright.jobs import recurrence
from keywright.licensing import gateway
from keywright.platform import clock, db, secrets
from tests.api import Api
from tests.buyers import add_buyer
from tests.conftest import Database
from tests.licenses import Invoke, files, newest_list, run_jobs
from tests.metered import add_metered, usage
from tests.purchases import one_time_events, open_checkout, store
from tests.queue_hints import batch, drop, failed

PRIVATE = Ed25519PrivateKey.generate()


class Kms(BaseHTTPRequestHandler):
    """As much of KMS as an Ed25519 key needs; moto knows no such key."""

    def do_POST(self) -> None:
        """Answer GetPublicKey and Sign."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer: dict[str, Any] = {"KeyId": asked["KeyId"]}
        if self.headers["X-Amz-Target"].endswith(".Sign"):
            answer["Signature"] = _text(PRIVATE.sign(base64.b64decode(asked["Message"])))
        else:
            public = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            answer |= {"PublicKey": _text(public), "KeySpec": "ECC_NIST_EDWARDS25519"}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the standard library's name)
        """Say nothing."""


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.fixture
def kms(clean_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The secret of the license keys names a key in KMS, and nothing else."""
    before = gateway.key_entries()
    with ThreadingHTTPServer(("127.0.0.1", 0), Kms) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{server.server_port}")
        gateway._client.cache_clear()
        gateway.store_key_entries([{"kid": "k_kms", "kms_key_id": "alias/licenses"}])
        yield before
        server.shutdown()
    gateway.store_key_entries(before)
    gateway._client.cache_clear()


def as_a_new_container() -> None:
    """Forget the secrets and the keys, as another function has not read them."""
    secrets.forget()
    gateway._parsed.cache_clear()


def test_a_license_is_issued_validated_and_revocable(kms: object, invoke: Invoke, call: Api) -> None:
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_once", mode="payment")
    drop("JOBS")
    as_a_new_container()
    folded = invoke("license_worker", batch(*({"event_id": sid} for sid in store(*one_time_events(buyer)))))
    assert (failed(folded), files()) == ([], [])
    as_a_new_container()
    run_jobs(invoke)
    db.transact(lambda tx: recurrence.enqueue_due(tx, now=clock.now(), only="licensing.publish-revocations"))
    run_jobs(invoke)
    as_a_new_container()

    body = {"license": files()[-1]["token"], "nonce": "n" * 22, "domain": "ada.example.com"}
    answer = call("licenses", "POST", "/v1/licenses/validate", body=body)

    assert (answer.status, answer.json["code"]) == (200, "VALID")
    assert files()[-1]["kid"] == "k_kms"
    assert newest_list().epoch >= 1


def test_usage_is_taken_and_who_comes_near_a_limit_is_told_at_once(kms: list[dict[str, Any]], call: Api) -> None:
    now = clock.now().replace(microsecond=0)
    gateway.store_key_entries(kms)
    license_ = add_metered(began_at=now, metadata={"limit_api_calls": "10"})
    gateway.store_key_entries([{"kid": "k_kms", "kms_key_id": "alias/licenses"}, *kms])
    as_a_new_container()

    answer = call("usage", "POST", "/v1/usage", body={"events": [usage("a", 9, at=now)]}, token=license_.token)

    assert [result["outcome"] for result in answer.json["results"]] == ["accepted"]
