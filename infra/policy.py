"""
Prints the policy table as a page of the documentation.

``python -m infra.policy`` writes docs/policy.md; ``--check`` fails when it is out of date, when the manifest has a
route that nobody has declared, or the table one that nobody has, or when nobody has decided about repeating a POST.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.manifest import API_RATE, CLIENT_RATE, FUNCTIONS, Function
from keywright.identity.policy import OPEN, POLICY, Who
from keywright.identity.repetition import BY_ADDRESS, UNREPEATABLE, KeyScope, key_scope

PAGE = Path(__file__).parents[1] / "docs/policy.md"

_MEANINGS: Mapping[Who, str] = {
    Who.ANYONE: "No token is asked for.",
    Who.TOKEN_HOLDER: "Whoever holds the secret in the body: a refresh token, or a token from a mail.",
    Who.STRIPE: "Whoever can sign the body with the webhook's secret.",
    Who.USER: "Every active user, about themselves.",
    Who.MEMBER: "Every active user, about what belongs to the customer that their session acts for.",
    Who.MEMBER_OR_STAFF: "The members of the customer in the path, and staff.",
    Who.OWNER_OR_STAFF: "The owners of the customer in the path, and staff. Other members are told so; strangers "
    "see nothing there.",
    Who.STAFF: "ADMIN and MANAGER.",
    Who.MANAGER: "MANAGER alone.",
}


def main(arguments: list[str]) -> int:
    """Write or check the page; return the exit status."""
    if differing := differences(FUNCTIONS, POLICY):
        print("\n".join(differing), file=sys.stderr)
        return 1
    text = page(FUNCTIONS, POLICY)
    if "--check" not in arguments:
        PAGE.write_text(text)
        return 0
    if not PAGE.exists() or PAGE.read_text() != text:
        print("docs/policy.md is out of date: run `python -m infra.policy`.", file=sys.stderr)
        return 1
    return 0


def differences(functions: Iterable[Function], policy: Mapping[str, Who]) -> list[str]:
    """Return the routes that only one of manifest and table knows."""
    routes = {f"{route.method} {route.path}" for function in functions for route in function.routes}
    return [
        *(
            f"{route}: nobody has declared who may call it (keywright.identity.policy)"
            for route in sorted(routes - set(policy))
        ),
        *(f"{route}: declared, but in no function's manifest entry" for route in sorted(set(policy) - routes)),
        *undecided(policy),
    ]


def undecided(
    policy: Mapping[str, Who],
    *,
    by_address: frozenset[str] = BY_ADDRESS,
    unrepeatable: Mapping[str, str] = UNREPEATABLE,
) -> list[str]:
    """Return the POSTs of which nobody has said whether they may be repeated, or said it in vain or twice."""
    listed = by_address | set(unrepeatable)
    missing = [route for route, who in policy.items() if route.startswith("POST ") and who in OPEN]
    return [
        *(
            f"{route}: asks for no token, and nobody has decided on repeating it (keywright.identity.repetition)"
            for route in sorted(set(missing) - listed)
        ),
        *(f"{route}: listed as repeatable or not, but declared nowhere" for route in sorted(listed - set(policy))),
        *(f"{route}: listed as repeatable and as not" for route in sorted(by_address & set(unrepeatable))),
    ]


def page(functions: Iterable[Function], policy: Mapping[str, Who]) -> str:
    """Return the page."""
    routes = [(route, function.name) for function in functions for route in function.routes]
    lines = [
        "# Who may call what",
        "",
        "Generated from `keywright.identity.policy` and the manifest by `python -m infra.policy`; a route that is not",
        "declared fails the build. What belongs to others answers as what does not exist, byte for byte. Roles,",
        "sessions and deactivation are looked up at every request: the role in a token decides nothing.",
        "",
        "| who | means |",
        "| --- | --- |",
        *(f"| {who} | {_MEANINGS[who]} |" for who in Who),
        "",
        f"All clients together: {API_RATE.per_s} requests a second, {API_RATE.burst} at once.",
        f"One address: {CLIENT_RATE.requests} in {CLIENT_RATE.window_s} seconds.",
        "",
        "A POST takes an `Idempotency-Key` where the last column says in whose name the key is kept: that of the",
        "caller, acting for one customer, or of the address that the request comes from. Why others take none stands",
        "below.",
        "",
        "| route | who | function | own rate | key |",
        "| --- | --- | --- | --- | --- |",
    ]
    for route, function in sorted(routes, key=lambda pair: (pair[0].path, pair[0].method)):
        key = f"{route.method} {route.path}"
        rate = f"{route.rate.per_s} a second, {route.rate.burst} at once" if route.rate else ""
        kept_for = key_scope(key, policy=policy)
        own = "" if kept_for is KeyScope.NOBODY else kept_for.value.lower()
        lines.append(f"| `{key}` | {policy[key]} | `{function}` | {rate} | {own} |")
    lines += ["", "| POST without a key | because |", "| --- | --- |"]
    lines += [f"| `{route}` | {reason} |" for route, reason in sorted(UNREPEATABLE.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
