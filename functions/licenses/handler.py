"""Licenses and their files, for those who own them and for staff. The other routes stand beside, by topic."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.licenses import activating, deciding, explaining, publishing
from functions.licenses.application import admission, app
from functions.licenses.models import LicenseList, LicenseView
from keywright.identity.repetition import Repetition
from keywright.licensing import service as licensing
from keywright.licensing.models import License, LicenseState
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit
from keywright.platform.paging import Page

ROUTES = (activating, deciding, explaining, publishing)
"""Importing them has added their routes to the application."""


@app.get("/v1/licenses", summary="List licenses", tags=["licenses"])
def list_licenses(
    customer_sid: Annotated[str | None, Query(max_length=64)] = None,
    state: LicenseState | None = None,
    domain_name: Annotated[str | None, Query(max_length=253)] = None,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> LicenseList:
    """Return the licenses of the caller's customer; to staff, those of every customer, or of the one that is named."""
    admit = admission()

    def read(tx: Transaction) -> Page[License]:
        scope = admit(tx).scope()
        if scope is not None and customer_sid not in {None, scope}:
            # What belongs to others is answered as what is not there.
            return Page([], None)
        return licensing.list_licenses(
            tx,
            customer_sid=scope or customer_sid,
            state=state,
            domain_name=None if domain_name is None else domain_name.lower(),
            cursor=cursor,
            limit=limit,
        )

    page = db.transact(read)
    return LicenseList(items=[LicenseView.of(license_) for license_ in page.items], next_cursor=page.next_cursor)


@app.get("/v1/licenses/<license_sid>", summary="Show a license", tags=["licenses"])
def get_license(license_sid: str) -> LicenseView:
    """Return one license."""
    admit = admission()

    def read(tx: Transaction) -> License:
        return licensing.get_license(tx, customer_sid=admit(tx).scope(), license_sid=license_sid)

    return LicenseView.of(db.transact(read))


@app.get(
    "/v1/licenses/<license_sid>/file",
    summary="Download the license file",
    tags=["licenses"],
    responses={200: {"description": "A compact JWS.", "content": {"application/jwt": {"schema": {"type": "string"}}}}},
)
def get_file(license_sid: str) -> Response[str]:
    """Return the license as a compact JWS, to be verified offline with the public keys."""
    admit = admission()

    def read(tx: Transaction) -> str:
        return licensing.get_file(tx, customer_sid=admit(tx).scope(), license_sid=license_sid)

    headers = {"Content-Disposition": 'attachment; filename="license.jwt"'}
    return Response(200, "application/jwt", db.transact(read), headers=headers)


handler = http.entrypoint(app, repeats=Repetition(db.transact, clock.now))
