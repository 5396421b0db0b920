"""The licenses of the caller's customer, their files, and the public keys that verify them."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from keywright.catalog.models import LicenseKind
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.licensing import gateway, tokens
from keywright.licensing import service as licensing
from keywright.licensing.models import License, LicenseState
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page

app = http.api()


class LicenseView(http.Body):
    """A license; its file proves it to software that has no network."""

    license_sid: str
    state: LicenseState
    kind: LicenseKind
    domain_sid: str
    domain_name: str
    product_id: str
    product_name: str
    seq: int
    expires_at: str
    created_at: str


class LicenseList(http.Body):
    """A page of licenses, newest first."""

    items: list[LicenseView]
    next_cursor: str | None


class KeySet(http.Body):
    """A JSON Web Key Set (RFC 7517) of Ed25519 public keys (RFC 8037)."""

    keys: list[dict[str, str]]


@app.get("/v1/licenses", summary="List licenses", tags=["licenses"])
def list_licenses(
    limit: Annotated[int, Query(ge=1, le=paging.MAX_LIMIT)] = paging.DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=paging.MAX_CURSOR_LENGTH)] = None,
) -> LicenseList:
    """Return the licenses of the caller's customer."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def read(tx: Transaction) -> Page[License]:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return licensing.list_licenses(tx, customer_sid=caller.customer_sid, cursor=cursor, limit=limit)

    page = db.transact(read)
    return LicenseList(items=[_view(license_) for license_ in page.items], next_cursor=page.next_cursor)


@app.get("/v1/licenses/<license_sid>", summary="Show a license", tags=["licenses"])
def get_license(license_sid: str) -> LicenseView:
    """Return one license of the caller's customer."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def read(tx: Transaction) -> License:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return licensing.get_license(tx, customer_sid=caller.customer_sid, license_sid=license_sid)

    return _view(db.transact(read))


@app.get(
    "/v1/licenses/<license_sid>/file",
    summary="Download the license file",
    tags=["licenses"],
    responses={200: {"description": "A compact JWS.", "content": {"application/jwt": {"schema": {"type": "string"}}}}},
)
def get_file(license_sid: str) -> Response[str]:
    """Return the license as a compact JWS, to be verified offline with the public keys."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def read(tx: Transaction) -> str:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return licensing.get_file(tx, customer_sid=caller.customer_sid, license_sid=license_sid)

    headers = {"Content-Disposition": 'attachment; filename="license.jwt"'}
    return Response(200, "application/jwt", db.transact(read), headers=headers)


@app.get("/v1/license-keys", summary="Get the public license keys", tags=["licenses"])
def get_keys() -> KeySet:
    """Return the keys that verify licenses, for a build to compile in."""
    return KeySet(keys=[tokens.public_jwk(key) for key in gateway.license_keys()])


def _view(license_: License) -> LicenseView:
    return LicenseView(
        license_sid=license_.license_sid,
        state=license_.state,
        kind=license_.kind,
        domain_sid=license_.domain_sid,
        domain_name=license_.domain_name,
        product_id=license_.product_id,
        product_name=license_.product_name,
        seq=license_.current_seq,
        expires_at=clock.to_wire(license_.expires_at),
        created_at=clock.to_wire(license_.created_at),
    )


handler = http.entrypoint(app)
