"""Is it up, what can it do, and who did what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from keywright.audit import service as audit
from keywright.audit.models import ActorKind, Entry, EntryFilter
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.errors import DatabaseUnavailable
from keywright.platform.http import Cursor, Limit
from keywright.platform.paging import Page
from keywright.platform.wire import Moment

app = http.api()

DESCRIPTION = Path(__file__).with_name("openapi.json")
"""Generated from all handlers by ``make openapi`` and committed; ``make check`` refuses drift."""

# Swagger's page carries its script and style in itself.
_PAGE_POLICY = "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:"


class Health(http.Body):
    """``ok`` when the database answers."""

    status: str


class AuditEntry(http.Body):
    """Who did what to whom: ``target`` is the sid or Stripe id that the action was about."""

    audit_id: int
    created_at: str
    actor_kind: ActorKind
    actor: str | None
    action: str
    target: str
    old_value: dict[str, Any] | None
    new_value: dict[str, Any] | None
    correlation_id: str | None


class AuditList(http.Body):
    """A page of entries, newest first."""

    items: list[AuditEntry]
    next_cursor: str | None


Word = Annotated[str | None, Query(max_length=255, pattern=r"^[\x21-\x7e]+$")]


@app.get("/v1/audit", summary="Read the audit log", tags=["operations"])
def list_audit(  # noqa: PLR0917  (query parameters are named by the URL)
    action: Word = None,
    actor: Word = None,
    target: Word = None,
    begins: Annotated[Moment | None, Query()] = None,
    ends: Annotated[Moment | None, Query()] = None,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> AuditList:
    """Return a page of the audit log by action, actor, target and time (from ``begins`` to before ``ends``)."""
    access, now = identity_gateway.access_tokens(), clock.now()
    wanted = EntryFilter(action=action, actor_sid=actor, subject_sid=target, begins=begins, ends=ends)

    def work(tx: Transaction) -> Page[Entry]:
        identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return audit.list_entries(tx, wanted=wanted, limit=limit, cursor=cursor)

    page = db.transact(work)
    return AuditList(items=[_entry(entry) for entry in page.items], next_cursor=page.next_cursor)


@app.get("/v1/health", summary="Check that the service and its database answer", tags=["operations"])
def health() -> Health:
    """Answer 200 when a query went through, 503 otherwise."""
    if db.transact(lambda tx: tx.one("SELECT 1 AS up")) != {"up": 1}:
        raise DatabaseUnavailable("The database gave an odd answer.")
    return Health(status="ok")


@app.get(
    "/v1/openapi.json",
    summary="Get this API's OpenAPI description",
    tags=["operations"],
    enable_validation=False,
    responses={200: {"description": "The document.", "content": {"application/json": {"schema": {"type": "object"}}}}},
)
def openapi() -> Response[str]:
    """Return the OpenAPI 3.1 document of all routes."""
    return Response(200, "application/json", DESCRIPTION.read_text())


@app.get(
    "/docs",
    summary="Browse this API",
    tags=["operations"],
    enable_validation=False,
    responses={200: {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}}},
)
def docs() -> Response[str]:
    """Return a page that shows the OpenAPI document and can try it out."""
    return Response(200, "text/html; charset=utf-8", _page(), headers={"Content-Security-Policy": _PAGE_POLICY})


def _page() -> str:
    # The page's assets come with powertools and weigh a megabyte: only this route reads them.
    from aws_lambda_powertools.event_handler.openapi import swagger_ui  # noqa: PLC0415

    assets = Path(swagger_ui.__file__).parent
    return swagger_ui.generate_swagger_html(
        spec=json.dumps(json.loads(DESCRIPTION.read_text())).replace("</", "<\\/"),
        swagger_js=(assets / "swagger-ui-bundle.min.js").read_text(),
        swagger_css=(assets / "swagger-ui.min.css").read_text(),
        swagger_base_url="",
        oauth2_config=None,
        persist_authorization=False,
    )


def _entry(entry: Entry) -> AuditEntry:
    return AuditEntry(
        audit_id=entry.audit_id,
        created_at=clock.to_wire(entry.created_at),
        actor_kind=entry.actor_kind,
        actor=entry.actor_sid,
        action=entry.action,
        target=entry.subject_sid,
        old_value=json.loads(entry.old_value) if entry.old_value else None,
        new_value=json.loads(entry.new_value) if entry.new_value else None,
        correlation_id=entry.correlation_id,
    )


handler = http.entrypoint(app)
