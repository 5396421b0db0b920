"""
A WSGI middleware that lets a Flask application run only under a valid license. Copy it and put in your keys.

The license file may be replaced while the application runs; the next request sees the new one. Nothing here asks a
network, and the keys are in the code, because a key file that the licensee can replace makes signatures worthless.

    app = Flask(__name__)
    check = LicenseCheck(KEYS, "/etc/orbit/license.jwt", domain="shop.example.com")
    app.wsgi_app = LicenseMiddleware(app.wsgi_app, check)
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keywright_verify import CachingVerifier, HighWaterMark, KeySet, RevocationList, RevocationListInvalidError, Verdict

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ENVIRON_KEY = "keywright.verdict"


class LicenseCheck:
    """
    One license on one machine: its files, and what they must be for.
    """

    def __init__(
        self,
        keys: KeySet,
        license_path: str | Path,
        *,
        domain: str,
        audience: str | None = None,
        mark_path: str | Path | None = None,
        revocations_path: str | Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._verifier = CachingVerifier(keys)
        self._license = Path(license_path)
        self._domain = domain
        self._audience = audience
        self._mark = HighWaterMark(mark_path) if mark_path else None
        self._revocations = Path(revocations_path) if revocations_path else None
        self._clock = clock
        self._read: dict[Path, tuple[tuple[int, int, int], Any]] = {}

    def verdict(self) -> Verdict:
        """
        Judge the license file as it is now.
        """
        return self._verifier.verify(
            self._content(self._license, lambda raw: raw.strip(b"\r\n")) or b"",
            now=int(self._clock()),
            domain=self._domain,
            audience=self._audience,
            high_water_mark=self._mark,
            revocations=self._content(self._revocations, self._revocation_list) if self._revocations else None,
        )

    def _revocation_list(self, raw: bytes) -> RevocationList | None:
        # A list that was damaged on its way in stops nobody; pass revocation_mode=REQUIRE to decide otherwise.
        try:
            return RevocationList.from_token(raw.strip(b"\r\n"), self._keys)
        except RevocationListInvalidError:
            return None

    def _content(self, path: Path, parse: Callable[[bytes], Any]) -> Any:
        try:
            found = path.stat()
            version = (found.st_ino, found.st_mtime_ns, found.st_size)
            if path not in self._read or self._read[path][0] != version:
                self._read[path] = (version, parse(path.read_bytes()))
        except OSError:
            return None
        return self._read[path][1]


class LicenseMiddleware:
    """
    Answers 403 with the code where the license does not permit; passes everything else on, with the verdict.
    """

    def __init__(self, app: WSGIApplication, check: LicenseCheck, *, open_paths: Iterable[str] = ("/health",)) -> None:
        self._app = app
        self._check = check
        self._open_paths = frozenset(open_paths)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """
        Judge, then serve or refuse.
        """
        verdict = self._check.verdict()
        environ[ENVIRON_KEY] = verdict
        if verdict.valid or environ.get("PATH_INFO") in self._open_paths:
            return self._app(environ, start_response)
        # The detail names dates and domains: it is for the operator's log, not for whoever asks.
        body = json.dumps({"title": verdict.code.explanation, "status": 403, "code": verdict.code}).encode()
        headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))]
        start_response("403 Forbidden", headers)
        return [body]
