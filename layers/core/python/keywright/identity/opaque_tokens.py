"""Random tokens that mean nothing by themselves. We keep their SHA-256 only: whoever reads the table holds no token."""

from __future__ import annotations

import hashlib
import secrets

_REFRESH_BYTES = 48
_MAIL_BYTES = 32


def new_refresh_token() -> str:
    """Return a fresh refresh token, base64url."""
    return secrets.token_urlsafe(_REFRESH_BYTES)


def new_mail_token() -> str:
    """Return a fresh token for a link in a mail, base64url."""
    return secrets.token_urlsafe(_MAIL_BYTES)


def digest(token: str) -> bytes:
    """Return what is stored of a token. It needs no salt: the token has more entropy than anybody can guess."""
    return hashlib.sha256(token.encode()).digest()
