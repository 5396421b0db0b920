"""
The webhook of Stripe: verify the raw bytes, store the event, commit, and only then answer 200.

Nothing is decided here. If the event cannot be stored the answer is 5xx, and Stripe delivers it again.
"""

from __future__ import annotations

from typing import Any

from keywright.platform import arrivals, clock, db, http, log
from keywright.platform.errors import BodyInvalid, BodyTooLarge, KeywrightError, Malformed, Unexpected
from keywright.stripe_sync import gateway, inbox, rules, signature
from keywright.stripe_sync.models import Arrival, EntrySource, Headers, WebhookInvalid, WebhookTooLarge

MAX_BODY = 1_000_000
LONGEST_AGENT = 200


def handler(event: object, _context: object) -> dict[str, Any]:
    """Answer one delivery."""
    correlation_id = arrivals.request_id(event)
    log.bind(correlation_id=correlation_id)
    try:
        return _receive(arrivals.checked(event), correlation_id)
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
    header = event["headers"].get("stripe-signature", "")
    signature.verify(body, header, secrets=gateway.webhook_secrets(), now=now)
    received = rules.read_event(body)
    # The request that the purchase began with, if the event tells of one; Stripe's own delivery has its line too.
    log.bind(correlation_id=rules.find_correlation_id(received) or correlation_id)
    arrival = Arrival(EntrySource.WEBHOOK, _headers(event["headers"], header, delivered_by=correlation_id))
    is_new = db.transact(lambda tx: inbox.receive(tx, received, arrival=arrival, now=now))
    log.info(
        "webhook",
        event_id=received.event_id,
        event_type=received.event_type,
        is_new=is_new,
        delivered_by=correlation_id,
    )
    return http.accepted({"received": True, "duplicate": not is_new}, correlation_id=correlation_id)


def _headers(sent: dict[str, str], header: str, *, delivered_by: str) -> Headers:
    """Return what is kept of a delivery's headers, whose signature was found to be good."""
    signed_at, signatures = signature.describe(header)
    agent = "".join(letter for letter in sent.get("user-agent", "")[:LONGEST_AGENT] if " " <= letter <= "~")
    return Headers(signed_at, signatures, agent or None, None if delivered_by == arrivals.UNKNOWN else delivered_by)


def _raw_body(event: dict[str, Any]) -> bytes:
    """Return the bytes that Stripe signed."""
    try:
        return arrivals.raw_body(event, most_bytes=MAX_BODY)
    except BodyTooLarge as problem:
        raise WebhookTooLarge("The body is larger than one megabyte.") from problem
    except BodyInvalid as problem:
        raise WebhookInvalid("The body is not valid base64.") from problem
