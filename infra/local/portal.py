"""The portal's static files over HTTP, as S3 and CloudFront serve them in AWS. It serves one folder, read only."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from infra.local.http_server import AsgiApplication, Receive, Send
from infra.portal_headers import content_policy

FRONT_PAGE = "index.html"
SETTINGS = "settings.json"


def static_site(folder: Path, *, api_url: str) -> AsgiApplication:
    """
    Serve the files of a folder to pages that ask ``api_url``.

    A path that names no file gets the front page: the page reads the address itself.
    """
    settings = json.dumps({"api_url": api_url}).encode()
    files = {f"/{path.relative_to(folder)}": path for path in folder.rglob("*") if path.is_file()}

    async def site(scope: MutableMapping[str, Any], _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] in {"GET", "HEAD"}:
            path = files.get(scope["path"], folder / FRONT_PAGE)
            status, content = 200, settings if path.name == SETTINGS else path.read_bytes()
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        else:
            status, content, kind = 405, b"read only\n", "text/plain"
        headers = [
            (b"content-type", f"{kind}; charset=utf-8".encode()),
            (b"content-length", str(len(content)).encode()),
            (b"cache-control", b"no-store"),
            (b"content-security-policy", content_policy(api_url).encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})

    return site
