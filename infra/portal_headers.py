"""What the portal's pages may do in a browser: the content policy that they are sent with, here and in AWS."""

from __future__ import annotations

# The page's own files only; it is framed by nobody and sends forms nowhere.
_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'{api}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def content_policy(api_url: str | None) -> str:
    """Return the policy of pages that ask their own host or, if it is named, an API under another."""
    return _CONTENT_POLICY.format(api=f" {api_url}" if api_url else "")
