"""Having refused usage told again, for staff: once the vendor has mended what it was refused for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from functions.usage.application import app
from keywright.audit.models import user as acting
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.metering.retries import service as retries
from keywright.metering.retries.service import Refusals, Retried
from keywright.platform import clock, db, http
from keywright.platform.db import Transaction


class RetryRequest(http.Body):
    """Which refused usage is meant: a license, a code, or both; ``meter`` narrows it."""

    license_sid: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    meter: Annotated[str | None, Field(min_length=1, max_length=100)] = None
    code: Annotated[str | None, Field(min_length=1, max_length=64)] = None


class RetriedLicense(http.Body):
    """How many revisions of a license were taken up."""

    license_sid: str
    revisions: int


class RetryAnswer(http.Body):
    """How many revisions were taken up, of which licenses; with ``has_more``, another call takes up more."""

    retried: int
    licenses: list[RetriedLicense]
    has_more: bool


@app.post("/v1/usage/retries", summary="Retry refused usage", tags=["usage"])
def retry_usage(body: RetryRequest) -> RetryAnswer:
    """
    Have usage that was refused told or invoiced again, at most 500 revisions in one call.

    What Stripe has heard of before is told only if its sums lack it. What was dropped as late stays dropped.
    """
    access, now = identity_gateway.access_tokens(), clock.now()
    wanted = Refusals(body.license_sid, body.meter, body.code)

    def work(tx: Transaction) -> Retried:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return retries.retry(tx, wanted, actor=acting(caller.user_sid), now=now)

    made = db.transact(work)
    return RetryAnswer(
        retried=sum(made.by_license.values()),
        licenses=[RetriedLicense(license_sid=sid, revisions=count) for sid, count in made.by_license.items()],
        has_more=made.has_more,
    )
