"""Make a subscription's invoices: with the lines given and what waits for it, collected at once or in an hour."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.cards import Outcome
from infra.local.stripe.resources import invoice_objects
from infra.local.stripe.resources.billing import collection, pending
from infra.local.stripe.store import Object


def draft(account: Account, subscription: Object, lines: list[Object], reason: str) -> Object:
    """Make a draft and name it as the subscription's latest invoice; it is not announced yet."""
    customer = account.store.get("customer", subscription["customer"])
    invoice = invoice_objects.build(
        account,
        customer=customer,
        subscription=subscription,
        lines=lines,
        reason=reason,
        currency=subscription["currency"],
    )
    waiting = pending.waiting(account, customer["id"], subscription["currency"], subscription["id"])
    pending.take_up(account, waiting, invoice)
    invoice_objects.total_up(invoice)
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def announce(account: Account, subscription: Object, invoice: Object) -> None:
    """Announce a renewal's draft and let it advance, unless its subscription's collection is paused."""
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    if behavior == "keep_as_draft" or subscription["status"] == "unpaid":
        invoice["auto_advance"] = False
    if behavior not in ("void", "mark_uncollectible"):
        collection.advance_later(account, invoice)
    account.create(invoice, "invoice.created")
    if behavior in ("void", "mark_uncollectible"):
        collection.finalize(account, invoice)
        if invoice["status"] == "open":
            (collection.void if behavior == "void" else collection.write_off)(account, invoice)


def bill_now(
    account: Account,
    invoice: Object,
    *,
    attempt: bool = True,
    off_session: bool = False,
    known: Outcome | None = None,
) -> None:
    """Announce a draft, finalize it and ask for the money, all at once."""
    if invoice["collection_method"] == "send_invoice":
        collection.advance_later(account, invoice)
        account.create(invoice, "invoice.created")
        return
    account.create(invoice, "invoice.created")
    collection.finalize(account, invoice)
    if attempt:
        collection.collect(account, invoice, off_session=off_session, known=known)
