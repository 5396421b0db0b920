"""Is it up, and what can it do."""

from __future__ import annotations

import json
from pathlib import Path

from aws_lambda_powertools.event_handler import Response

from keywright.platform import db, http
from keywright.platform.errors import DatabaseUnavailable

app = http.api()

DESCRIPTION = Path(__file__).with_name("openapi.json")
"""Generated from all handlers by ``make openapi`` and committed; ``make check`` refuses drift."""

# Swagger's page carries its script and style in itself.
_PAGE_POLICY = "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:"


class Health(http.Body):
    """``ok`` when the database answers."""

    status: str


@app.get("/v1/health", summary="Check that the service and its database answer", tags=["operations"])
def health() -> Health:
    """Answer 200 when a query went through, 503 otherwise."""
    if db.transact(lambda tx: tx.one("SELECT 1 AS up")) != {"up": 1}:
        raise DatabaseUnavailable("The database gave an odd answer.")
    return Health(status="ok")


@app.get("/v1/openapi.json", summary="Get this API's OpenAPI description", tags=["operations"], enable_validation=False)
def openapi() -> Response[str]:
    """Return the OpenAPI 3.1 document of all routes."""
    return Response(200, "application/json", DESCRIPTION.read_text())


@app.get("/docs", summary="Browse this API", tags=["operations"], enable_validation=False)
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


handler = http.entrypoint(app)
