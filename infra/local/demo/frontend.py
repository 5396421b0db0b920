"""
What a vendor's front end says to the API: one method a call, wire names as documented, nothing else.
"""

from __future__ import annotations

from typing import Any

import httpx

from infra.local.demo.failure import DemoFailure

TIMEOUT_S = 30


class CallFailed(DemoFailure):
    """The API refused a call, or failed at it. ``code`` is the problem's own name."""

    def __init__(self, call: str, response: httpx.Response) -> None:
        super().__init__(f"{call} answered {response.status_code}: {response.text[:500]}")
        is_problem = response.headers.get("content-type", "").startswith("application/problem+json")
        self.code: str | None = response.json().get("code") if is_problem else None


class Frontend:
    """
    One visitor's connection to the API; after ``login``, one user's.
    """

    def __init__(self, api_url: str) -> None:
        # Nothing of this machine's proxies: the API is on loopback.
        self._http = httpx.Client(base_url=api_url, timeout=TIMEOUT_S, trust_env=False)

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    def register(self, *, email: str, password: str, name: str) -> None:
        """Sign up."""
        self._call("POST", "/v1/auth/register", {"email": email, "password": password, "name": name})

    def verify_email(self, token: str) -> None:
        """Follow the link of the verification mail."""
        self._call("POST", "/v1/auth/verify-email", {"token": token})

    def login(self, *, email: str, password: str) -> dict[str, Any]:
        """Log in; later calls are made as this user."""
        tokens: dict[str, Any] = self._call("POST", "/v1/auth/login", {"email": email, "password": password}).json()
        self._http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return tokens

    def create_domain(self, domain_name: str) -> dict[str, Any]:
        """Add a domain that licenses can be bought for."""
        domain: dict[str, Any] = self._call("POST", "/v1/domains", {"domain_name": domain_name}).json()
        return domain

    def products(self, **filters: str) -> list[dict[str, Any]]:
        """List products by their metadata, prices included."""
        items: list[dict[str, Any]] = self._call("GET", "/v1/products", query=filters).json()["items"]
        return items

    def preview(self, *, price_id: str, quantity: int) -> dict[str, Any]:
        """Ask what a quantity of a price costs."""
        asked = {"price_id": price_id, "quantity": quantity}
        preview: dict[str, Any] = self._call("POST", "/v1/pricing/preview", asked).json()
        return preview

    def create_checkout_session(self, *, domain_sid: str, price_id: str, quantity: int) -> dict[str, Any]:
        """Begin to buy; the answer has the address of the hosted page."""
        wanted = {"domain_sid": domain_sid, "price_id": price_id, "quantity": quantity}
        session: dict[str, Any] = self._call("POST", "/v1/checkout-sessions", wanted).json()
        return session

    def licenses(self, **query: str) -> list[dict[str, Any]]:
        """List the user's licenses."""
        items: list[dict[str, Any]] = self._call("GET", "/v1/licenses", query=query).json()["items"]
        return items

    def license(self, license_sid: str) -> dict[str, Any]:
        """Show one license."""
        shown: dict[str, Any] = self._call("GET", f"/v1/licenses/{license_sid}").json()
        return shown

    def license_file(self, license_sid: str) -> str:
        """Download the license itself."""
        return self._call("GET", f"/v1/licenses/{license_sid}/file").text

    def license_keys(self) -> str:
        """Download the public keys that licenses are verified with."""
        return self._call("GET", "/v1/license-keys").text

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, query: dict[str, str] | None = None
    ) -> httpx.Response:
        response = self._http.request(method, path, json=body, params=query)
        if response.is_error:
            raise CallFailed(f"{method} {path}", response)
        return response
