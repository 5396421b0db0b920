"""Carries out the jobs of contracts: the billing run, the licenses of what it bills, and the collecting of invoices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from functions.job_worker.settings import Settings
from keywright.contracts import billing_run, license_jobs
from keywright.contracts.desk import Desk
from keywright.contracts.invoices import gateway, notices
from keywright.contracts.invoices import service as invoices
from keywright.contracts.invoices.models import FullInvoice, InvoiceState
from keywright.customers import gateway as customers_gateway
from keywright.customers import service as customers
from keywright.jobs import service as jobs
from keywright.jobs.models import Skipped
from keywright.jobs.worker import Effect
from keywright.licensing import gateway as licensing_gateway
from keywright.mail import gateway as mail_gateway
from keywright.mail import service as mail_service
from keywright.platform import clock, config, db
from keywright.platform.db import Transaction


def _run(payload: dict[str, str]) -> Effect:
    """Look at one page: expire what has ended, or enqueue what is due; the next page is another job."""
    now = clock.now()
    step, place = payload.get("step", "expire"), payload.get("after", "")

    def look(tx: Transaction) -> None:
        if step == "expire":
            _, behind = billing_run.expire(tx, Desk(now), after=place)
            following = {"step": "bill"} if behind is None else {"step": "expire", "after": behind}
        else:
            after = billing_run.request(tx, now=now, after=_place(payload))
            if after is None:
                return
            following = {"step": "bill", "at": after[0].isoformat(), "after": after[1]}
        key = f"{now:%Y-%m-%dT%H:%M}:{following['step']}:{following.get('after', '')}"
        jobs.enqueue(tx, "contracts.billing-run", following, key=key, now=now)

    return look


def _place(payload: Mapping[str, str]) -> billing_run.Place:
    return (datetime.fromisoformat(payload["at"]), payload["after"]) if "at" in payload else billing_run.BEGINNING


def _bill(payload: dict[str, str]) -> Effect:
    now = clock.now()

    def bill(tx: Transaction) -> None:
        billing_run.bill(tx, Desk(now), subscription_sid=payload["subscription_sid"], as_of=now)

    return bill


def _issue_license(payload: dict[str, str]) -> Effect:
    now, keys, issuer = clock.now(), licensing_gateway.key_ring(), config.load(Settings).api_url
    sid = payload["subscription_sid"]
    return lambda tx: license_jobs.issue(tx, Desk(now), subscription_sid=sid, keys=keys, issuer=issuer)


def _judge_license(payload: dict[str, str]) -> Effect:
    now = clock.now()
    return lambda tx: license_jobs.judge(tx, Desk(now), subscription_sid=payload["subscription_sid"])


def _send_invoice(payload: dict[str, str]) -> Skipped | None:
    settings = config.load(Settings)
    document, customer = db.transact(
        lambda tx: (
            found := _document(tx, payload),
            customers.get_customer(tx, customer_sid=found.invoice.customer_sid),
        )
    )
    mail = notices.invoice_mail(document, to=customer.billing_email, name=customer.name, portal_url=settings.portal_url)
    reason = db.transact(lambda tx: mail_service.find_suppression(tx, address=mail.to))
    if reason is not None:
        return Skipped(f"No mail goes to this address: {reason}.")
    mail_gateway.send(mail, sender=settings.mail_from, configuration_set=settings.mail_configuration_set)
    return None


def _collect(payload: dict[str, str]) -> Effect | Skipped:
    document, customer = db.transact(
        lambda tx: (
            found := _document(tx, payload),
            customers.get_customer(tx, customer_sid=found.invoice.customer_sid),
        )
    )
    if document.invoice.state is not InvoiceState.OPEN:
        return Skipped(f"The invoice is {document.invoice.state}.")
    known = customer.stripe_customer_id
    stripe_customer_id = known or customers_gateway.create_stripe_customer(customer)
    collected = gateway.collect(
        document, stripe_customer_id=stripe_customer_id, product_family=config.load(Settings).product_family
    )

    def keep(tx: Transaction) -> None:
        if known is None:
            customers.attach_stripe_customer(
                tx, customer_sid=customer.customer_sid, stripe_customer_id=stripe_customer_id, now=clock.now()
            )
        invoices.attach_stripe(
            tx,
            invoice_sid=payload["invoice_sid"],
            stripe_invoice_id=collected.stripe_invoice_id,
            url=collected.url,
        )

    return keep


def _settle(payload: dict[str, str]) -> Skipped | None:
    invoice = db.transact(lambda tx: _document(tx, payload)).invoice
    if invoice.stripe_invoice_id is None:
        return Skipped("Stripe does not collect this invoice.")
    gateway.settle(stripe_invoice_id=invoice.stripe_invoice_id, state=invoice.state)
    return None


def _document(tx: Transaction, payload: Mapping[str, str]) -> FullInvoice:
    return invoices.get_invoice(tx, invoice_sid=payload["invoice_sid"], customer_sid=None)


JOBS: Mapping[str, Callable[[dict[str, str]], Effect | Skipped | None]] = {
    "contracts.bill": _bill,
    "contracts.billing-run": _run,
    "contracts.collect-by-stripe": _collect,
    "contracts.issue-license": _issue_license,
    "contracts.judge-license": _judge_license,
    "contracts.send-invoice": _send_invoice,
    "contracts.settle-at-stripe": _settle,
}
