"""The customer's mail, read from the mailbox as the customer would read it."""

from __future__ import annotations

import re

import httpx

from infra.local.demo.failure import until

TOKEN = re.compile(r"[?&#]token=([\w.~-]+)")


def wait_for_token(mailbox_url: str, *, address: str) -> str:
    """
    Wait for a mail to an address that has a link with a token, and take the token.
    """

    def look() -> str | None:
        for mail in httpx.get(mailbox_url, timeout=10, trust_env=False).raise_for_status().json():
            if mail["to"] == address and (found := TOKEN.search(mail["text"])):
                return found[1]
        return None

    return until(f"the verification mail to {address}", look)
