"""What is read from an event, and that reading one can fail in one way only."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keywright.platform.clock import from_unix
from keywright.stripe_sync import rules
from keywright.stripe_sync.models import StripeEvent, WebhookInvalid
from tests.stripe_events import API_VERSION, BEGINNING, checkout_session, event, invoice, product, subscription

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "type": JSON,
        "created": JSON,
        "livemode": JSON,
        "observed_at_us": JSON,
        "data": st.fixed_dictionaries({"object": st.fixed_dictionaries({}, optional={"id": JSON, "object": JSON})})
        | JSON,
    },
)


def test_an_event_is_read_with_the_bytes_that_it_came_in():
    body = event("product.updated", product(), at=BEGINNING + 5, previous={"name": "Port"})

    read = rules.read_event(body)

    assert (read.event_type, read.object_id, read.api_version) == ("product.updated", "prod_unlimited", API_VERSION)
    assert (read.body, read.moment, read.previous) == (body, from_unix(BEGINNING + 5), {"name": "Port"})


@pytest.mark.parametrize("subject", [{"object": "balance"}, {"object": "invoice", "id": None}])
def test_an_event_about_a_thing_without_an_id_can_be_stored(subject):
    """Such as a balance, or an invoice that is yet to come."""
    assert rules.read_event(event("invoice.upcoming", subject)).object_id == "none"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"{}", b'{"id":"evt_1","data":{"object":{}}}', b"[" * 100_000],
)
def test_what_is_no_event_is_refused_with_its_code(body):
    with pytest.raises(WebhookInvalid):
        rules.read_event(body)


@given(envelope=ENVELOPES)
@example(envelope={"id": "evt_1", "type": "a.b", "created": 2**62, "livemode": True, "data": {"object": {}}})
@example(envelope={"id": "evt_1", "type": "a.b", "created": -(2**70), "livemode": True, "data": {"object": {}}})
@example(envelope={"id": "e" * 256, "type": "a.b", "created": 1, "livemode": True, "data": {"object": {}}})
def test_whatever_json_says_it_is_an_event_or_refused(envelope):
    try:
        read = rules.read_event(json.dumps(envelope).encode())
    except WebhookInvalid:
        return

    assert isinstance(read, StripeEvent)
    assert 0 < len(read.event_id) <= 255


def test_an_observation_is_ordered_by_the_microsecond_in_which_we_asked():
    at = from_unix(BEGINNING) + timedelta(microseconds=123_456)

    read = rules.read_event(rules.observation_event(product(), at=at))

    assert (read.event_type, read.moment, read.subject["id"]) == (rules.OBSERVATION, at, "prod_unlimited")


def test_the_same_observation_has_the_same_id_and_another_one_another():
    at = from_unix(BEGINNING)

    first, again = (rules.read_event(rules.observation_event(product(), at=at)).event_id for _ in range(2))
    later = rules.read_event(rules.observation_event(product(), at=at + timedelta(microseconds=1))).event_id

    assert first == again != later


def test_an_invoice_shows_the_metadata_of_its_subscription():
    ours = {"product_family": "self_hosted", "domain_sid": "dom_1"}
    about = [
        invoice(ours, customer="cus_1"),
        subscription(ours, customer="cus_1"),
        checkout_session(ours, customer="c"),
    ]

    assert [rules.metadata_of(rules.read_event(event("x.y", subject))) for subject in about] == [ours] * 3


def test_an_invoice_of_before_2025_shows_it_too():
    old = invoice(
        {}, customer="cus_1", parent=None, subscription_details={"metadata": {"product_family": "self_hosted"}}
    )

    assert rules.metadata_of(rules.read_event(event("invoice.paid", old)))["product_family"] == "self_hosted"


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ({"object": "subscription", "metadata": {"correlation_id": "request-1"}}, "request-1"),
        ({"object": "subscription", "metadata": {"correlation_id": "a line\nand another"}}, None),
        ({"object": "subscription", "metadata": {"correlation_id": "ünïcode-id"}}, None),
        ({"object": "subscription", "metadata": {"correlation_id": "x" * 101}}, None),
        ({"object": "subscription", "metadata": {"correlation_id": 12345678}}, None),
        ({"object": "subscription", "metadata": "of a shape that nobody knows"}, None),
        ({"object": "subscription", "metadata": None}, None),
        ({"object": "invoice", "lines": 7}, None),
        ({"object": "balance"}, None),
    ],
)
def test_the_request_that_an_object_comes_from_is_read_where_it_can_be_and_harms_nothing_where_not(subject, found):
    read = rules.read_event(event("x.y", {"id": "obj_1", **subject}))

    assert rules.find_correlation_id(read) == found
