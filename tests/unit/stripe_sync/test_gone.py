"""What Stripe deleted stays deleted; that it does not find something is believed until it shows it again."""

from __future__ import annotations

from itertools import permutations

from keywright.platform.clock import from_unix
from keywright.stripe_sync import kinds
from keywright.stripe_sync.models import StripeEvent
from keywright.stripe_sync.observing import history_of
from keywright.stripe_sync.rules import observation_event, read_event
from tests.stripe_events import BEGINNING, event, product

MADE = read_event(event("product.created", product(), at=BEGINNING))
RENAMED = read_event(
    event("product.updated", product(name="Quay"), at=BEGINNING + 5, previous={"name": product()["name"]})
)
DELETED = read_event(event("product.deleted", {**product(name="Quay"), "deleted": True}, at=BEGINNING + 60))


def missing(at: int) -> StripeEvent:
    """Return what is stored when Stripe knows no such thing: it is gone, or we asked with another account's key."""
    subject = {"id": "prod_unlimited", "object": "product", "deleted": True}
    return read_event(observation_event(subject, at=from_unix(BEGINNING + at)))


def shown(at: int) -> StripeEvent:
    return read_event(observation_event(product(name="Quay"), at=from_unix(BEGINNING + at)))


def ends(*events: StripeEvent) -> set[tuple[bool, str]]:
    """Return how the product ends, in every order of the events."""
    found = set()
    for arriving in permutations(events):
        history = history_of(arriving, kinds.PRODUCT, object_id="prod_unlimited")
        assert history is not None
        found.add((history.folded.deleted, history.folded.state.name))
    return found


def test_what_stripe_does_not_find_is_gone_in_every_order():
    assert ends(MADE, RENAMED, missing(100)) == {(True, "Quay")}
    assert ends(MADE, RENAMED, shown(90), missing(100)) == {(True, "Quay")}


def test_what_stripe_shows_again_was_never_gone():
    assert ends(MADE, RENAMED, missing(100), shown(200)) == {(False, "Quay")}


def test_what_it_does_not_find_once_more_is_gone_after_all():
    assert ends(MADE, missing(100), shown(200), missing(300)) == {(True, "Quay")}


def test_what_was_told_to_be_deleted_is_not_brought_back_by_an_answer_from_before():
    assert ends(MADE, RENAMED, DELETED, shown(200)) == {(True, "Quay")}
