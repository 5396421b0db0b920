"""What a contract will bill, as it would come out: the same code as the billing run's."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.contracts.application import app, look
from keywright.billers.models import Biller
from keywright.contracts import billing_run, service
from keywright.contracts.course.charges import Charge, DocumentKind, Line
from keywright.contracts.desk import Desk
from keywright.contracts.subscriptions.models import Subscription
from keywright.platform import clock, http
from keywright.platform.db import Transaction
from keywright.platform.money import Money, decimal_text

Days = Annotated[int, Query(ge=1, le=800)]


class ForecastLine(http.Body):
    """A line as it would be billed."""

    biller: Biller
    description: str
    quantity: str
    amount_minor: int
    period_start: str
    period_end: str
    proration: bool


class ForecastItem(http.Body):
    """A document as it would come out. ``estimated`` says that usage may still be added to it."""

    billing_key: str
    subscription_sid: str
    document_kind: DocumentKind
    billed_at: str
    period_start: str
    period_end: str
    currency: str
    total_minor: int
    display: str
    estimated: bool
    lines: list[ForecastLine]


class ForecastAnswer(http.Body):
    """The next documents of a contract, in the order of time."""

    items: list[ForecastItem]


@app.get("/v1/contracts/<contract_sid>/forecast", summary="Forecast the next invoices", tags=["contracts"])
def get_forecast(contract_sid: str, days: Days = 366) -> ForecastAnswer:
    """Return what the contract bills within so many days if nothing else happens; the nearest sixty at most."""
    now = clock.now()

    def read(tx: Transaction, owner: str | None) -> list[tuple[Subscription, Charge]]:
        contract = service.get_contract(tx, contract_sid=contract_sid, customer_sid=owner)
        return billing_run.forecast(tx, Desk(now), contract=contract, until=now + timedelta(days=days))

    return ForecastAnswer(items=[_item(subscription, charge) for subscription, charge in look(read)])


def _item(subscription: Subscription, charge: Charge) -> ForecastItem:
    bill = charge.bill
    return ForecastItem(
        billing_key=bill.billing_key,
        subscription_sid=subscription.subscription_sid,
        document_kind=charge.kind,
        billed_at=clock.to_wire(bill.due_at),
        period_start=str(bill.start),
        period_end=str(bill.end),
        currency=charge.currency,
        total_minor=charge.total_minor,
        display=Money(charge.total_minor, charge.currency).display(),
        estimated=bill.is_metered,
        lines=[_line(line) for line in charge.lines],
    )


def _line(line: Line) -> ForecastLine:
    return ForecastLine(
        biller=line.biller,
        description=line.description,
        quantity=decimal_text(line.quantity),
        amount_minor=line.amount_minor,
        period_start=str(line.start),
        period_end=str(line.end),
        proration=line.proration,
    )
