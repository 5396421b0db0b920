"""
The webhook of Stripe: verify the raw bytes, store the event, commit, and only then answer 200.

Nothing is decided here. If the event cannot be stored the answer is 5xx, and Stripe delivers it again.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from keywright.platform import clock, db, http, log
from keywright.platform.errors import KeywrightError, Malformed, Unexpected
from keywright.stripe_sync import gateway, inbox, rules, signature
from keywright.stripe_sync.models import WebhookInvalid, WebhookTooLarge

MAX_BODY = 1_000_000


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one delivery."""
    correlation_id = str(event["requestContext"]["requestId"])
    log.bind(correlation_id=correlation_id)
    try:
        return _receive(event, correlation_id)
    except KeywrightError as error:
        write = log.info if isinstance(error, Malformed) else log.warning
        write("webhook refused", code=error.code, detail=error.detail)
        return http.problem(error, correlation_id=correlation_id)
    except Exception as bug:  # noqa: BLE001  (Stripe must see 5xx and deliver again, whatever went wrong)
        log.error("webhook failed", kind=type(bug).__name__)
        return http.problem(Unexpected("The event was not stored."), correlation_id=correlation_id)
    finally:
        log.unbind()


def _receive(event: dict[str, Any], correlation_id: str) -> dict[str, Any]:
    body, now = _raw_body(event), clock.now()
    header = _header(event, "stripe-signature")
    signature.verify(body, header, secrets=gateway.webhook_secrets(), now=now)
    received = rules.read_event(body)
    # The request that the purchase began with, if the event tells of one; Stripe's own delivery has its line too.
    log.bind(correlation_id=rules.find_correlation_id(received) or correlation_id)
    is_new = db.transact(lambda tx: inbox.receive(tx, received, now=now))
    log.info(
        "webhook",
        event_id=received.event_id,
        event_type=received.event_type,
        is_new=is_new,
        delivered_by=correlation_id,
    )
    return http.accepted({"received": True, "duplicate": not is_new}, correlation_id=correlation_id)


def _raw_body(event: dict[str, Any]) -> bytes:
    """Return the bytes that Stripe signed: API Gateway may have wrapped them in base64."""
    text = event.get("body") or ""
    if len(text) > MAX_BODY * 4 // 3 + 4:
        raise WebhookTooLarge("The body is larger than one megabyte.")
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, ValueError) as problem:
        raise WebhookInvalid("The body is not valid base64.") from problem
    if len(body) > MAX_BODY:
        raise WebhookTooLarge("The body is larger than one megabyte.")
    return body


def _header(event: dict[str, Any], name: str) -> str:
    headers = {key.lower(): value for key, value in (event.get("headers") or {}).items()}
    return str(headers.get(name, ""))
