"""What verifiers are given: the public keys and the revocation list. And who still needs which key, for staff."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response

from functions.licenses.application import admission, app
from keywright.licensing import gateway, revocations
from keywright.licensing.keys import report as key_report
from keywright.licensing.keys.report import Installed, KeyState, KeyUse
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit
from keywright.platform.paging import Page

_CACHED = "public, max-age=300"


class KeySet(http.Body):
    """A JSON Web Key Set (RFC 7517) of Ed25519 public keys (RFC 8037); ``nbf`` and ``exp`` bound what a key signs."""

    keys: list[dict[str, str | int]]


class KeyUseView(http.Body):
    """A key, and how many licenses hold an unexpired file that it signed; the last of them ends ``needed_until``."""

    kid: str
    state: KeyState
    not_before: str | None
    retire_at: str | None
    licenses: int
    needed_until: str | None


class KeyUseList(http.Body):
    """Every key."""

    items: list[KeyUseView]
    next_cursor: None = None


class InstalledView(http.Body):
    """A license that holds an unexpired file of the key."""

    license_sid: str
    customer_sid: str
    domain_name: str
    state: str
    seq: int
    needed_until: str


class InstalledList(http.Body):
    """A page of licenses that need the key."""

    items: list[InstalledView]
    next_cursor: str | None


@app.get("/v1/license-keys", cache_control=_CACHED, summary="Get the public license keys", tags=["licenses"])
def get_keys() -> KeySet:
    """Return the keys that verify licenses, for a build to compile in. Keys are here long before they sign."""
    return KeySet(keys=[key.jwk() for key in gateway.key_ring().keys])


@app.get("/v1/license-keys/usage", summary="Which keys are needed", tags=["licenses"])
def get_key_usage() -> KeyUseList:
    """Return for each key how many installed licenses need it, and until when."""
    admit, keys, now = admission(), gateway.key_ring(), clock.now()

    def read(tx: Transaction) -> list[KeyUse]:
        admit(tx)
        return key_report.report(tx, keys, now=now)

    return KeyUseList(items=[_use(use) for use in db.transact(read)])


@app.get("/v1/license-keys/<kid>/licenses", summary="Who needs a key", tags=["licenses"])
def list_installed(kid: str, limit: Limit = paging.DEFAULT_LIMIT, cursor: Cursor = None) -> InstalledList:
    """Return the licenses with an unexpired file that the key signed."""
    admit, keys, now = admission(), gateway.key_ring(), clock.now()

    def read(tx: Transaction) -> Page[Installed]:
        admit(tx)
        return key_report.list_installed(tx, keys, kid=kid, now=now, cursor=cursor, limit=limit)

    page = db.transact(read)
    items = [InstalledView(**{**vars(each), "needed_until": clock.to_wire(each.needed_until)}) for each in page.items]
    return InstalledList(items=items, next_cursor=page.next_cursor)


@app.get(
    "/v1/revocations",
    summary="Get the revocation list",
    tags=["licenses"],
    responses={
        200: {"description": "A compact JWS.", "content": {"application/jwt": {"schema": {"type": "string"}}}},
        304: {"description": "The list is the one named by If-None-Match."},
    },
)
def get_revocations() -> Response[str]:
    """Return the newest signed list of what counts no more. It may be mirrored, and carried into an air gap."""
    found = db.transact(revocations.get_current)
    headers = {
        "ETag": f'"{found.digest}"',
        "Cache-Control": _CACHED,
        "Last-Modified": f"{found.issued_at:%a, %d %b %Y %H:%M:%S} GMT",
        "Content-Disposition": 'attachment; filename="revocations.jwt"',
    }
    known = app.current_event.headers.get("if-none-match") or ""
    if headers["ETag"] in known or known.strip() == "*":
        return Response(304, "application/jwt", "", headers=headers)
    return Response(200, "application/jwt", found.token, headers=headers)


def _use(use: KeyUse) -> KeyUseView:
    return KeyUseView(
        kid=use.kid,
        state=use.state,
        not_before=None if use.not_before is None else clock.to_wire(use.not_before),
        retire_at=None if use.retire_at is None else clock.to_wire(use.retire_at),
        licenses=use.licenses,
        needed_until=None if use.needed_until is None else clock.to_wire(use.needed_until),
    )
