"""
The signing key of the access tokens is replaced while requests are under way, and no request fails.

Four containers keep the secret for as long as each likes and take up its next value at moments of their own. Time is
not waited for: a key whose time has come is one whose ``signs_from`` was moved into the past.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from infra.cli import keys
from infra.cli.commands import main
from keywright.platform import clock, secrets
from tests.api import Answer, Api
from tests.integration.identity.people import log_in, verified

REQUESTS = int(os.environ.get("ROTATION_REQUESTS", "150"))
"""While one rotation goes on; the soak sends two thousand."""

PEOPLE = [f"user-{number}@example.com" for number in range(4)]
LEAD = timedelta(minutes=15)

Key = dict[str, Any]
Publish = Callable[[list[Key], datetime], list[Key]]


class Fleet:
    """Containers, each with what it has read of Secrets Manager, and clients that are sent to any of them."""

    def __init__(self, call: Api, chance: random.Random) -> None:
        self._call, self._chance = call, chance
        self._kept: list[dict[str, Any]] = [{} for _ in range(4)]
        self.clients = [log_in(email, now=clock.now()) for email in PEOPLE]
        self.failed: list[str] = []

    def take_up(self, number: int) -> None:
        """Let a container read its secrets anew at its next request: its minute is over, or it is a new one."""
        self._kept[number] = {}

    def pass_time(self, seconds: float) -> None:
        """Let every container be so much older, and what it keeps with it."""
        self._kept = [{name: (at - seconds, value) for name, (at, value) in each.items()} for each in self._kept]

    def requests(self, count: int) -> None:
        """Send so many requests of clients that follow the rules; keep those that were refused."""
        for _ in range(count):
            number = self._chance.randrange(len(self.clients))
            tokens = self.clients[number]
            if self._chance.random() < 0.2:
                answer = self._ask("POST", "/v1/auth/refresh", body={"refresh_token": tokens.refresh_token})
                if answer.status == 200:
                    new = {name: answer.json[name] for name in ("access_token", "refresh_token")}
                    self.clients[number] = type(tokens)(**new)
            else:
                answer = self._ask("GET", "/v1/me", token=tokens.access_token)
            if answer.status != 200:
                self.failed.append(f"{answer.status} {answer.text}")

    def all_refresh(self) -> None:
        """Let a quarter of an hour pass, in which every client has to refresh."""
        for number, tokens in enumerate(self.clients):
            answer = self._ask("POST", "/v1/auth/refresh", body={"refresh_token": tokens.refresh_token})
            new = {name: answer.json[name] for name in ("access_token", "refresh_token")}
            self.clients[number] = type(tokens)(**new)

    def statuses(self, token: str) -> set[int]:
        """Return what every container says to a token."""
        return {self._ask("GET", "/v1/me", token=token, at=number).status for number in range(len(self._kept))}

    def _ask(self, method: str, path: str, *, at: int | None = None, **values: Any) -> Answer:
        container = self._chance.randrange(len(self._kept)) if at is None else at
        secrets._kept.clear()
        secrets._kept.update(self._kept[container])
        answer = self._call("auth", method, path, **values)
        self._kept[container] = dict(secrets._kept)
        return answer


@pytest.fixture
def fleet(call: Api) -> Iterator[Fleet]:
    original = secrets.read("ACCESS_TOKEN_KEYS")
    for email in PEOPLE:
        verified(email, now=clock.now())
    yield Fleet(call, random.Random(5))
    store(original["keys"])
    secrets.forget()


def store(held: list[Key]) -> None:
    value = json.dumps({"keys": held})
    boto3.client("secretsmanager").put_secret_value(SecretId="keywright/ACCESS_TOKEN_KEYS", SecretString=value)


def stored() -> list[Key]:
    answer = boto3.client("secretsmanager").get_secret_value(SecretId="keywright/ACCESS_TOKEN_KEYS")
    held: list[Key] = json.loads(answer["SecretString"])["keys"]
    return held


def publish(held: list[Key], now: datetime) -> list[Key]:
    """Do what ``keywright keys rotate`` does."""
    return keys.rotated(held, keys.new_key(signs_from=now + LEAD), now=now)


def publish_without_notice(held: list[Key], now: datetime) -> list[Key]:
    """The bug: the new key signs before every container has heard of it."""
    return keys.rotated(held, keys.new_key(signs_from=now), now=now)


def replace_at_once(held: list[Key], now: datetime) -> list[Key]:
    """The bug: the old key is gone while tokens that it has signed are alive."""
    return [keys.new_key(signs_from=now)]


def later(held: list[Key], passed: timedelta) -> list[Key]:
    """Let time pass for the keys."""
    return [
        {**key, "signs_from": (datetime.fromisoformat(key["signs_from"]) - passed).isoformat()}
        if "signs_from" in key
        else key
        for key in held
    ]


def spread(fleet: Fleet, held: list[Key], requests: int) -> None:
    """Change the secret; the containers take it up one after the other, in the midst of requests."""
    store(held)
    for number in range(4):
        fleet.requests(requests // 4)
        fleet.take_up(number)


def rotate(fleet: Fleet, how: Publish) -> None:
    """Replace the key: it is published, a quarter of an hour passes, and it signs."""
    fleet.requests(REQUESTS // 5)
    spread(fleet, how(stored(), clock.now()), 2 * REQUESTS // 5)
    spread(fleet, later(stored(), 2 * LEAD), 2 * REQUESTS // 5)


def test_three_rotations_under_way_fail_no_request_and_end_what_the_old_key_signed(fleet: Fleet) -> None:
    signed_by_the_first = fleet.clients[0].access_token
    kids = [stored()[0]["kid"]]

    for turn in range(3):
        rotate(fleet, publish)
        kids.append(stored()[0]["kid"])
        assert (turn, fleet.failed) == (turn, [])
        fleet.all_refresh()
        store(later(stored(), timedelta(hours=2)))

    assert len(set(kids)) == 4
    assert [key["kid"] for key in stored()] == kids[:1:-1]
    assert fleet.statuses(signed_by_the_first) == {401}
    assert fleet.statuses(fleet.clients[1].access_token) == {200}


def test_a_token_of_the_old_key_is_good_for_as_long_as_it_lives(fleet: Fleet) -> None:
    signed_by_the_old = fleet.clients[0].access_token

    spread(fleet, publish(stored(), clock.now()), 8)
    spread(fleet, later(stored(), LEAD + timedelta(minutes=14)), 8)
    overlapping = fleet.statuses(signed_by_the_old)
    spread(fleet, later(stored(), timedelta(minutes=30)), 8)

    assert (overlapping, fleet.statuses(signed_by_the_old)) == ({200}, {401})


def test_a_leaked_key_is_believed_for_a_minute_at_most(fleet: Fleet) -> None:
    signed_by_the_leaked = fleet.clients[0].access_token
    assert fleet.statuses(signed_by_the_leaked) == {200}

    assert main(["keys", "replace"]) == 0

    fleet.pass_time(secrets.KEEP_S)
    assert fleet.statuses(signed_by_the_leaked) == {401}
    fleet.all_refresh()
    assert fleet.statuses(fleet.clients[0].access_token) == {200}


def test_what_was_read_a_minute_ago_is_read_again() -> None:
    current = [age for age in (0, 1, 59.9, 60, 61, 300) if secrets.is_current(1000.0, now=1000.0 + age)]

    assert current == [0, 1, 59.9]


@pytest.mark.parametrize("how", [publish_without_notice, replace_at_once])
def test_a_rotation_in_a_hurry_is_caught(fleet: Fleet, how: Publish) -> None:
    rotate(fleet, how)

    assert any(refusal.startswith("401") for refusal in fleet.failed)
