"""Where a license stands: what restricts it, what lifts that, and what ends it, whatever else is true then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from keywright.billing.models import Bill, Setback
from keywright.licensing.dunning import AT_ONCE, DunningKind, DunningPolicy, read_policy
from keywright.licensing.models import LicenseState, Purchase, Rule, Standing
from keywright.licensing.standing import judge
from keywright.platform.clock import from_unix
from tests.stripe_events import BEGINNING, MONTH

START = from_unix(BEGINNING)
EXPIRY = from_unix(BEGINNING + MONTH) + timedelta(days=3)
FAILED = START + timedelta(days=1)
NEXT = FAILED + timedelta(days=3)
UNTIL_NEXT = DunningPolicy(DunningKind.UNTIL_NEXT_ATTEMPT)


def purchase(status: str = "active", **details: Any) -> Purchase:
    plain = {"source": "sub_1", "is_one_time": False, "began_at": START, "status_since": START, "observed_at": START}
    return Purchase(**{**plain, "status": status, **details})


def bill(invoice_id: str = "in_2", **details: Any) -> Bill:
    """Return a renewal's invoice that could not be paid."""
    plain: dict[str, Any] = {
        "status": "open",
        "amount_remaining": 4900,
        "attempted": True,
        "attempt_count": 1,
        "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically",
        "created_at": START,
        "due_at": None,
        "next_attempt_at": NEXT,
        "finalized_at": START,
        "failed_at": FAILED,
        "awaits_customer": False,
        "first_retry_at": NEXT,
        "failed_again_at": None,
    }
    return Bill(invoice_id=invoice_id, **{**plain, **details})


def setback(kind: str, status: str, **details: Any) -> Setback:
    plain = {"amount": 4900, "charge_amount": 4900, "at": FAILED, "invoice_created_at": START}
    return Setback(kind=kind, setback_id=f"{kind}_1", status=status, **{**plain, **details})


def judged(
    bought: Purchase, *facts: Bill | Setback, policy: DunningPolicy = AT_ONCE, at: datetime = FAILED
) -> Standing:
    bills = [fact for fact in facts if isinstance(fact, Bill)]
    setbacks = [fact for fact in facts if isinstance(fact, Setback)]
    return judge(bought, bills, setbacks, expires_at=EXPIRY, policy=policy, now=at)


def state(bought: Purchase, *facts: Bill | Setback, **details: Any) -> LicenseState:
    return judged(bought, *facts, **details).state


PAID: dict[str, Any] = {"status": "paid", "amount_remaining": 0}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], "ACTIVE"),
        ([bill()], "RESTRICTED"),
        ([bill(**PAID)], "ACTIVE"),
        ([bill(status="void")], "ACTIVE"),
        ([bill(status="uncollectible")], "ACTIVE"),
        ([bill(amount_remaining=0)], "ACTIVE"),
        ([bill(failed_at=None)], "ACTIVE"),
        ([bill(billing_reason="subscription_create")], "ACTIVE"),
        ([bill(awaits_customer=True)], "ACTIVE"),
        ([bill("in_2"), bill("in_3", **PAID)], "RESTRICTED"),
        ([bill("in_2", **PAID), bill("in_3", **PAID)], "ACTIVE"),
    ],
)
def test_a_failed_payment_restricts_until_that_very_invoice_is_settled(facts: list[Bill], expected: str) -> None:
    assert state(purchase(), *facts) == expected


@pytest.mark.parametrize("status", ["past_due", "unpaid"])
def test_arrears_restrict_though_their_invoice_has_not_arrived(status: str) -> None:
    standing = judged(purchase(status))

    assert (standing.state, standing.causes[0].rule) == ("RESTRICTED", Rule.SUBSCRIPTION_PAST_DUE)


def test_arrears_because_of_an_authentication_that_is_asked_for_restrict_nobody() -> None:
    assert state(purchase("past_due"), bill(awaits_customer=True)) == "ACTIVE"


def test_a_failure_that_nobody_told_of_is_seen_in_the_arrears() -> None:
    standing = judged(purchase("past_due"), bill(failed_at=None))

    assert (standing.state, standing.causes[0].subject, standing.causes[0].effective_at) == (
        "RESTRICTED",
        "in_2",
        START,
    )


@pytest.mark.parametrize(
    ("policy", "until"),
    [
        (AT_ONCE, FAILED),
        (UNTIL_NEXT, NEXT + timedelta(hours=1)),
        (DunningPolicy(DunningKind.FIXED_DAYS, 7), FAILED + timedelta(days=7)),
    ],
)
def test_a_policy_gives_grace_from_the_failure_on_and_no_longer(policy: DunningPolicy, until: datetime) -> None:
    before, after = (judged(purchase("past_due"), bill(), policy=policy, at=moment) for moment in (FAILED, until))

    assert after.state == "RESTRICTED"
    assert (before.state, before.review_at) == (("RESTRICTED", EXPIRY) if until == FAILED else ("ACTIVE", until))


def test_a_grace_does_not_begin_again_with_whoever_looks() -> None:
    policy = DunningPolicy(DunningKind.FIXED_DAYS, 7)
    days = [state(purchase("past_due"), bill(), policy=policy, at=FAILED + timedelta(days=n)) for n in range(9)]

    assert days == ["ACTIVE"] * 7 + ["RESTRICTED"] * 2


def test_when_no_attempt_is_left_the_grace_until_the_next_one_is_over() -> None:
    assert (
        state(purchase("past_due"), bill(next_attempt_at=None, first_retry_at=None), policy=UNTIL_NEXT) == "RESTRICTED"
    )


@pytest.mark.parametrize(
    "later",
    [
        {"failed_again_at": NEXT, "next_attempt_at": NEXT + timedelta(days=5), "attempt_count": 2},
        # Of the second failure nothing is told yet but what it planned.
        {"next_attempt_at": NEXT + timedelta(days=5), "attempt_count": 2},
        {"next_attempt_at": None, "attempt_count": 2},
    ],
)
def test_the_grace_until_the_next_attempt_does_not_move_on_to_the_attempt_after_it(later: dict[str, Any]) -> None:
    over = NEXT + timedelta(hours=1)

    assert state(purchase("past_due"), bill(**later), policy=UNTIL_NEXT, at=over) == "RESTRICTED"


def test_the_attempt_after_the_first_failure_restricts_as_soon_as_it_fails() -> None:
    early = bill(failed_again_at=NEXT, next_attempt_at=NEXT + timedelta(days=5), attempt_count=2)

    assert state(purchase("past_due"), early, policy=UNTIL_NEXT, at=NEXT) == "RESTRICTED"


def test_a_row_from_before_the_first_plan_was_kept_gives_the_grace_that_the_invoice_plans() -> None:
    standing = judged(purchase("past_due"), bill(first_retry_at=None), policy=UNTIL_NEXT)

    assert (standing.state, standing.review_at) == ("ACTIVE", NEXT + timedelta(hours=1))


def test_an_invoice_that_is_sent_restricts_when_it_is_overdue() -> None:
    sent = bill(collection_method="send_invoice", attempted=False, failed_at=None, due_at=NEXT)

    before, after = (judged(purchase(), sent, at=moment) for moment in (FAILED, NEXT))

    assert (before.state, before.review_at) == ("ACTIVE", NEXT)
    assert (after.state, after.causes[0].rule) == ("RESTRICTED", Rule.INVOICE_OVERDUE)


@pytest.mark.parametrize(
    ("bought", "expected"),
    [
        (purchase("paused"), "SUSPENDED"),
        (purchase(collection_paused_at=START), "SUSPENDED"),
        (purchase("canceled", ended_at=START), "CANCELED"),
        (purchase(removed_at=START), "CANCELED"),
        (purchase("trialing"), "ACTIVE"),
    ],
)
def test_what_stripe_says_of_the_subscription_counts(bought: Purchase, expected: str) -> None:
    assert state(bought) == expected


def test_a_term_that_nobody_renewed_ends_by_itself() -> None:
    before, after = judged(purchase(), at=EXPIRY - timedelta(seconds=1)), judged(purchase(), at=EXPIRY)

    assert (before.state, before.review_at) == ("ACTIVE", EXPIRY)
    assert (after.state, after.review_at) == ("EXPIRED", None)


@pytest.mark.parametrize(
    ("dispute", "expected"),
    [
        ("warning_needs_response", "ACTIVE"),
        ("needs_response", "SUSPENDED"),
        ("under_review", "SUSPENDED"),
        ("won", "ACTIVE"),
        ("warning_closed", "ACTIVE"),
        ("lost", "SUSPENDED"),
    ],
)
def test_a_dispute_suspends_a_subscription_until_it_is_won(dispute: str, expected: str) -> None:
    assert state(purchase(), setback("dispute", dispute)) == expected


def test_a_dispute_that_was_lost_is_made_up_for_by_the_next_invoice_that_is_paid() -> None:
    later = bill("in_9", **PAID, created_at=FAILED + timedelta(days=20))

    assert state(purchase(), setback("dispute", "lost"), later) == "ACTIVE"
    assert state(purchase(), setback("dispute", "lost"), bill("in_1", **PAID)) == "SUSPENDED"


ONCE = purchase("paid", is_one_time=True, source="cs_1")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], "ACTIVE"),
        ([setback("refund", "succeeded")], "REVOKED"),
        ([setback("refund", "pending")], "ACTIVE"),
        ([setback("refund", "failed")], "ACTIVE"),
        ([setback("refund", "succeeded", amount=4899)], "ACTIVE"),
        ([setback("refund", "succeeded", amount=2450), setback("refund", "succeeded", amount=2450)], "REVOKED"),
        ([setback("dispute", "needs_response")], "SUSPENDED"),
        ([setback("dispute", "lost")], "REVOKED"),
        ([setback("dispute", "won")], "ACTIVE"),
    ],
)
def test_a_one_time_license_ends_with_its_money(facts: list[Setback], expected: str) -> None:
    assert state(ONCE, *facts) == expected


def test_a_refund_does_not_end_a_subscription() -> None:
    assert state(purchase(), setback("refund", "succeeded")) == "ACTIVE"


def test_every_cause_is_named_and_the_gravest_decides() -> None:
    standing = judged(purchase("canceled", ended_at=FAILED), bill(), setback("dispute", "needs_response"))

    assert standing.state == "CANCELED"
    assert [(cause.rule, cause.subject) for cause in standing.causes] == [
        (Rule.SUBSCRIPTION_CANCELED, "sub_1"),
        (Rule.PAYMENT_DISPUTED, "dispute_1"),
        (Rule.PAYMENT_FAILED, "in_2"),
        (Rule.PAID, "sub_1"),
    ]


def test_what_stripe_has_told_has_happened_even_if_our_clock_is_behind() -> None:
    assert state(purchase("past_due", status_since=NEXT, observed_at=NEXT), at=START) == "RESTRICTED"


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("IMMEDIATE", AT_ONCE),
        ("UNTIL_NEXT_ATTEMPT", UNTIL_NEXT),
        ("FIXED_DAYS(14)", DunningPolicy(DunningKind.FIXED_DAYS, 14)),
    ],
)
def test_a_policy_is_read_from_its_text(text: str, policy: DunningPolicy) -> None:
    assert read_policy(text) == policy


@pytest.mark.parametrize("text", ["", "immediate", "FIXED_DAYS", "FIXED_DAYS()", "FIXED_DAYS(-1)", "FIXED_DAYS(7) "])
def test_a_text_that_names_no_policy_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="none of"):
        read_policy(text)
