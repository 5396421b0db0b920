"""
Opening a checkout: the intention is committed, Stripe is asked outside any transaction, and its answer is kept.

A call that is lost on the way may be made again: by the buyer, by the job that settles, or by both at once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from keywright.checkout import gateway, opening, rules
from keywright.checkout.models import (
    Checkout,
    CheckoutRefused,
    CheckoutState,
    Next,
    Order,
    Plan,
    SessionAbsent,
    SessionRefused,
)
from keywright.platform import clock, db
from keywright.platform.db import Transaction
from keywright.platform.stripe_client import StripeUnavailable
from keywright.price_drift import sessions

# To learn of and end what is open at another price, the same at this price, to open, and to find it open.
_ROUNDS = 6

Planner = Callable[[Transaction], Plan]


def carry_out(plan: Planner) -> Checkout:
    """
    Do at Stripe what the plan says, until there is nothing left to do.

    :raises StripeUnavailable: if the outcome of a call is unknown; coming back later is safe
    :raises CheckoutRefused: if Stripe refuses the terms
    """
    for _ in range(_ROUNDS):
        step = db.transact(plan)
        if step.next is Next.NOTHING:
            return step.order.checkout
        if step.next is Next.SETTLE:
            _end(step.order)
        else:
            _open(step.order)
    raise StripeUnavailable("The checkout could not be settled. Try again.")


def _open(order: Order) -> None:
    try:
        session = gateway.ask(order, now=clock.now())
    except SessionAbsent:
        db.transact(lambda tx: opening.record_absence(tx, order, now=clock.now()))
    except SessionRefused as problem:
        reason = str(problem)
        db.transact(lambda tx: opening.close(tx, order, failure=reason, now=clock.now()))
        raise CheckoutRefused(f"Stripe refuses this checkout: {reason}") from problem
    else:
        db.transact(lambda tx: sessions.record_session(tx, order, session, now=clock.now()))
        opening.check_unpaid(order, session)


def _end(order: Order) -> None:
    """End a session that has other terms or another price, or find that it has ended or was paid."""
    checkout = order.checkout
    if checkout.state is CheckoutState.CREATING:
        # It may exist or not; it can be ended only once that is known. If Stripe refuses it, it has ended by that, and
        # whoever asks for other terms is not to be told of it.
        with suppress(CheckoutRefused):
            _open(order)
        return
    assert checkout.stripe_session_id is not None
    session = gateway.end_session(checkout.stripe_session_id)
    opening.check_unpaid(order, session)
    why = None if rules.has_ended(checkout, now=clock.now()) else rules.REPLACED
    db.transact(lambda tx: sessions.record_session(tx, order, session, now=clock.now(), ended_because=why))
