"""
The semantics of a standard queue, at times of the test's choosing.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.sqs.errors import InvalidParameterValue, MessageNotInflight, ReceiptHandleIsInvalid
from infra.local.sqs.message import Delivery, Message
from infra.local.sqs.store import Counts, MessageStore, QueueAttributes, Redrive


def bodies(deliveries: list[Delivery]) -> list[str]:
    return [delivery.body for delivery in deliveries]


def test_messages_come_in_the_order_sent_and_only_once_while_hidden():
    store = MessageStore("arn:q", QueueAttributes(visibility_timeout_s=30))
    for body in "abc":
        store.send(body, now=0)

    assert bodies(store.receive(2, now=1)) == ["a", "b"]
    assert bodies(store.receive(10, now=2)) == ["c"]
    assert bodies(store.receive(10, now=30)) == []
    assert store.counts(now=30) == Counts(available=0, delayed=0, in_flight=3)


def test_a_message_that_was_not_deleted_comes_back_after_its_visibility_timeout():
    store = MessageStore("arn:q", QueueAttributes(visibility_timeout_s=30))
    store.send("a", now=0)
    store.receive(1, now=5)

    assert store.next_available_at(now=6) == 35
    assert bodies(store.receive(1, now=34.9)) == []
    (again,) = store.receive(1, now=35)
    assert again.system_attributes["ApproximateReceiveCount"] == "2"
    assert again.system_attributes["ApproximateFirstReceiveTimestamp"] == "5000"


def test_a_delayed_message_is_not_there_yet():
    store = MessageStore("arn:q", QueueAttributes(delay_s=5))
    store.send("queue's delay", now=0)
    store.send("own delay", now=0, delay_s=9)
    store.send("no delay", now=0, delay_s=0)

    assert store.counts(now=0) == Counts(available=1, delayed=2, in_flight=0)
    assert bodies(store.receive(10, now=4)) == ["no delay"]
    assert bodies(store.receive(10, now=5)) == ["queue's delay"]
    assert bodies(store.receive(10, now=9)) == ["own delay"]


def test_a_receipt_that_was_superseded_deletes_nothing():
    store = MessageStore("arn:q", QueueAttributes(visibility_timeout_s=1))
    store.send("a", now=0)
    (early,) = store.receive(1, now=0)
    (late,) = store.receive(1, now=2)

    store.delete(early.receipt_handle)
    assert store.counts(now=2).in_flight == 1

    store.delete(late.receipt_handle)
    store.delete(late.receipt_handle)
    assert store.counts(now=99) == Counts(0, 0, 0)


@pytest.mark.parametrize("handle", ["", "nonsense", "YSBi"])
def test_a_receipt_that_was_never_given_out_is_refused(handle: str):
    store = MessageStore("arn:q")

    with pytest.raises(ReceiptHandleIsInvalid):
        store.delete(handle)


def test_a_receipt_of_another_queue_is_refused():
    store, other = MessageStore("arn:q"), MessageStore("arn:other")
    other.send("a", now=0)
    (delivery,) = other.receive(1, now=0)

    with pytest.raises(ReceiptHandleIsInvalid):
        store.delete(delivery.receipt_handle)


def test_visibility_can_be_lengthened_and_shortened():
    store = MessageStore("arn:q", QueueAttributes(visibility_timeout_s=10))
    store.send("a", now=0)
    (delivery,) = store.receive(1, now=0)

    store.change_visibility(delivery.receipt_handle, 60, now=5)
    assert bodies(store.receive(1, now=64)) == []

    store.change_visibility(delivery.receipt_handle, 0, now=64)
    assert bodies(store.receive(1, now=64)) == ["a"]


def test_visibility_changes_only_for_a_message_in_flight():
    store = MessageStore("arn:q", QueueAttributes(visibility_timeout_s=10))
    store.send("a", now=0)
    (delivery,) = store.receive(1, now=0)

    with pytest.raises(MessageNotInflight):
        store.change_visibility(delivery.receipt_handle, 5, now=10)
    store.delete(delivery.receipt_handle)
    with pytest.raises(InvalidParameterValue, match="does not exist"):
        store.change_visibility(delivery.receipt_handle, 5, now=10)


def test_a_message_older_than_the_retention_is_gone_even_in_flight():
    store = MessageStore("arn:q", QueueAttributes(retention_s=60, visibility_timeout_s=1000))
    store.send("a", now=0)
    store.send("b", now=1)
    store.receive(1, now=2)

    assert store.counts(now=60) == Counts(available=1, delayed=0, in_flight=0)
    assert store.counts(now=61) == Counts(0, 0, 0)


def test_a_purged_queue_forgets_what_was_in_flight():
    store = MessageStore("arn:q", QueueAttributes(visibility_timeout_s=1))
    store.send("a", now=0)
    store.receive(1, now=0)

    store.purge()

    assert bodies(store.receive(1, now=5)) == []


class ForgetsReceiveCounts(MessageStore):
    """Breaks the redrive rule on purpose."""

    def _deliver(self, message: Message, *, now: float) -> Delivery:
        delivery = super()._deliver(message, now=now)
        message.receive_count = 0
        return delivery


class RedrivesOneTooEarly(MessageStore):
    """Breaks the redrive rule on purpose."""

    def _deliver(self, message: Message, *, now: float) -> Delivery:
        message.receive_count += 1
        return super()._deliver(message, now=now)


def check_redrive(make: Callable[[str, QueueAttributes, Redrive], MessageStore]) -> None:
    dead = MessageStore("arn:dead")
    store = make("arn:q", QueueAttributes(visibility_timeout_s=1), Redrive(dead, max_receive_count=3))
    sent = store.send("poison", now=0)

    received = [bodies(store.receive(10, now=second)) for second in range(6)]

    assert received == [["poison"]] * 3 + [[]] * 3
    (buried,) = dead.receive(10, now=9)
    assert buried.message_id == sent.message_id
    assert buried.system_attributes["DeadLetterQueueSourceArn"] == "arn:q"
    assert buried.system_attributes["SentTimestamp"] == "0"


def test_a_message_goes_to_the_dead_letters_after_exactly_the_allowed_receipts():
    check_redrive(MessageStore)


@pytest.mark.parametrize("broken", [ForgetsReceiveCounts, RedrivesOneTooEarly])
def test_a_store_that_miscounts_receipts_would_be_noticed(broken: type[MessageStore]):
    with pytest.raises(AssertionError):
        check_redrive(broken)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["send", "delayed", "receive", "delete", "show"]), st.integers(0, 40)), max_size=60
    )
)
def test_no_message_is_lost_or_in_two_places(steps: list[tuple[str, int]]):
    store = MessageStore("arn:q", QueueAttributes(visibility_timeout_s=20))
    now, expected, held = 0.0, set[str](), list[Delivery]()

    for action, amount in steps:
        now += amount
        if action == "send":
            expected.add(store.send("x", now=now).message_id)
        elif action == "delayed":
            expected.add(store.send("x", now=now, delay_s=amount).message_id)
        elif action == "receive":
            held += store.receive(amount % 4, now=now)
        elif held and action == "delete":
            delivery = held.pop()
            before = sum(vars(store.counts(now=now)).values())
            store.delete(delivery.receipt_handle)
            if sum(vars(store.counts(now=now)).values()) < before:
                expected.discard(delivery.message_id)
        assert sum(vars(store.counts(now=now)).values()) == len(expected)

    rest = [delivery.message_id for delivery in store.receive(1000, now=now + 10_000)]
    assert sorted(rest) == sorted(expected)
