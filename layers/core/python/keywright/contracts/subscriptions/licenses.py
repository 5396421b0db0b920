"""The license of a contract subscription: the same machine as for purchases at Stripe, told by other causes."""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.audit.models import SYSTEM
from keywright.billing.models import Bill
from keywright.catalog import rules as catalog_rules
from keywright.catalog import service as catalog
from keywright.contracts.course import calendar
from keywright.contracts.course.changes import Course, SubscriptionState
from keywright.contracts.models import Contract
from keywright.contracts.subscriptions import repository
from keywright.contracts.subscriptions.models import Subscription
from keywright.domains import service as domains
from keywright.jobs import service as jobs
from keywright.licensing import service as licensing
from keywright.licensing.dunning import read_policy, restricted_from
from keywright.licensing.models import Cause, Grant, LicenseState, Rule, SourceKind
from keywright.licensing.standing import judge_given
from keywright.platform.clock import to_unix
from keywright.platform.db import Row, Transaction

_ENDS = {
    SubscriptionState.CANCELED: Rule.CONTRACT_TERMINATED,
    SubscriptionState.EXPIRED: Rule.TERM_ENDED,
}


def request_issue(tx: Transaction, subscription: Subscription, course: Course, *, now: datetime) -> None:
    """Have the file signed for the time that the subscription serves now, once for each such time."""
    if course.state is SubscriptionState.ACTIVE:
        key = f"{subscription.subscription_sid}:{to_unix(course.serves_from)}"
        payload = {"subscription_sid": subscription.subscription_sid}
        jobs.enqueue(tx, "contracts.issue-license", payload, key=key, now=now)


def grant_of(tx: Transaction, subscription: Subscription, course: Course) -> Grant | None:
    """Return what the running time entitles to; None if nothing runs."""
    product = catalog.find_product(tx, product_id=course.terms.product_id)
    kind = None if product is None else catalog_rules.license_kind(product)
    if course.state is not SubscriptionState.ACTIVE or product is None or kind is None:
        return None
    owner = {"customer_sid": subscription.customer_sid, "domain_sid": subscription.domain_sid}
    begin, end = course.serves_from, calendar.begins(course.end, calendar.zone(subscription.time_zone))
    return Grant(
        source_kind=SourceKind.CONTRACT_SUBSCRIPTION,
        source_id=subscription.subscription_sid,
        **owner,
        domain_name=domains.get_domain(tx, **owner).domain_name,
        product_id=product.product_id,
        product_name=product.name,
        product_family=product.product_family or "",
        product_metadata=product.metadata,
        kind=kind,
        state=LicenseState.ACTIVE,
        began_at=subscription.created_at,
        period_start=begin,
        period_end=end,
        cause={
            "contract": subscription.contract_sid,
            "subscription": subscription.subscription_sid,
            "period_start": to_unix(begin),
            "period_end": to_unix(end),
        },
        is_first=to_unix(begin) == to_unix(subscription.created_at),
    )


def judge(tx: Transaction, contract: Contract, subscription: Subscription, *, now: datetime) -> None:
    """Settle where the license stands by the subscription and its unpaid invoices; nothing if there is none yet."""
    held = licensing.find_held(tx, source_id=subscription.subscription_sid, domain_sid=subscription.domain_sid)
    if held is None or held.expires_at is None:
        return
    causes = [*_causes_of_state(subscription), *_debts(tx, contract, subscription)]
    standing = judge_given(
        subscription.subscription_sid, causes, began_at=subscription.created_at, expires_at=held.expires_at, now=now
    )
    licensing.settle(tx, held, standing, actor=SYSTEM, now=now)


def request_judging(tx: Transaction, *, subscription_sid: str, cause: str, at: datetime, now: datetime) -> None:
    """Have the license judged again at a moment, such as that at which an invoice restricts it."""
    payload = {"subscription_sid": subscription_sid}
    key = f"{subscription_sid}:{cause}:{to_unix(at)}"
    # A second later than exact: at the moment itself the cause begins to hold.
    due_at = max(at, now) + timedelta(seconds=1)
    jobs.enqueue(tx, "contracts.judge-license", payload, key=key, now=now, due_at=due_at)


def restricts_from(contract: Contract, debt: Row) -> datetime | None:
    """Return when an unpaid invoice restricts the license, by the contract's dunning policy."""
    return restricted_from(_bill(debt), read_policy(contract.agreed.dunning_policy), in_arrears=False)


def _causes_of_state(subscription: Subscription) -> list[Cause]:
    sid, at = subscription.subscription_sid, subscription.last_change_at
    if subscription.state is SubscriptionState.PAUSED:
        by_contract = subscription.paused_by == "CONTRACT"
        rule = Rule.CONTRACT_SUSPENDED if by_contract else Rule.CONTRACT_PAUSED
        return [Cause(rule, subscription.contract_sid if by_contract else sid, at)]
    if subscription.state in _ENDS:
        assert subscription.ended_at is not None
        return [Cause(_ENDS[subscription.state], sid, subscription.ended_at)]
    return []


def _debts(tx: Transaction, contract: Contract, subscription: Subscription) -> list[Cause]:
    debts = repository.list_debts(tx, subscription_sid=subscription.subscription_sid)
    starts = [(debt["invoice_sid"], restricts_from(contract, debt)) for debt in debts]
    return [Cause(Rule.INVOICE_OVERDUE, sid, start) for sid, start in starts if start is not None]


def _bill(debt: Row) -> Bill:
    """Show dunning an invoice of ours. One that was given up is still owed."""
    return Bill(
        invoice_id=debt["invoice_sid"],
        status="open",
        amount_remaining=debt["total_minor"] - debt["credited_minor"],
        attempted=False,
        attempt_count=0,
        billing_reason="contract",
        collection_method="send_invoice",
        created_at=debt["issued_at"],
        due_at=debt["due_at"],
        next_attempt_at=None,
        finalized_at=debt["issued_at"],
        failed_at=None,
        awaits_customer=False,
        first_retry_at=None,
        failed_again_at=None,
    )
