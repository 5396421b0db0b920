"""
Buys licenses for minutes while workers are killed at random, then compares the books with the Stripe stand-in's.

``python -m tests.benchmarks.soak --seconds 300``: loopback only, bounded in time, exit 1 if a promise did not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import secrets
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from infra.local.demo.failure import until
from infra.local.demo.frontend import Frontend
from infra.local.demo.payment import pay
from infra.local.demo.report import Report
from infra.local.demo.steps import PURCHASES, find_offer, sign_up
from infra.local.endpoints import Endpoints
from infra.local.stack import LocalStack, Options
from infra.local.stripe_account import client_of

BUYERS = 3
WORKERS = ("license_worker", "job_worker")
CONVERGENCE_S = 120.0


def new_buyer(endpoints: Endpoints) -> tuple[Frontend, str]:
    """Sign up; return the connection and the address."""
    frontend = Frontend(endpoints.api_url)
    return frontend, sign_up(frontend, endpoints, Report(lambda _line: None))


def buy_until(deadline: float, frontend: Frontend, email: str) -> list[str]:
    """Buy one license after the other; return the domains that were paid for."""
    paid: list[str] = []
    while time.monotonic() < deadline and len(paid) < 100:
        purchase = random.choice(PURCHASES)
        _, price = until("the product", partial(find_offer, frontend, purchase))
        domain = frontend.create_domain(f"soak-{secrets.token_hex(5)}.example.com")
        checkout = frontend.create_checkout_session(
            domain_sid=domain["domain_sid"], price_id=price["price_id"], quantity=purchase.quantity
        )
        pay(checkout["url"], email=email)
        paid.append(domain["domain_name"])
    return paid


async def kill_workers(stack: LocalStack, deadline: float) -> int:
    """Kill -9 a worker process now and then; return how many died."""
    killed = 0
    while time.monotonic() < deadline:
        await asyncio.sleep(random.uniform(0.2, 1.5))
        pids = [pid for name in WORKERS for pid in stack.cloud.pids(name)]
        if pids:
            os.kill(random.choice(pids), signal.SIGKILL)
            killed += 1
    return killed


async def until_licensed(stack: LocalStack, frontend: Frontend, paid: list[str]) -> list[str]:
    """Wait until every paid domain has its license, sweeping as the schedule would; return the domains licensed."""
    deadline = time.monotonic() + CONVERGENCE_S
    while True:
        await stack.cloud.invoke("dispatcher", {"do": "dispatch"})
        held = [item["domain_name"] for item in await asyncio.to_thread(frontend.licenses, limit="100")]
        if set(held) >= set(paid) or time.monotonic() > deadline:
            return held
        await asyncio.sleep(1)


async def run(seconds: float) -> int:
    """Soak; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="keywright-soak-") as state:
        async with LocalStack(
            Options(state=Path(state), profile="soak", limits=None), log=lambda _source, _line: None
        ) as stack:
            # Nobody dies before all have signed up: the mail of a killed worker comes when its lease has run out.
            buyers = [await asyncio.to_thread(new_buyer, stack.endpoints) for _ in range(BUYERS)]
            deadline = time.monotonic() + seconds
            killing = asyncio.create_task(kill_workers(stack, deadline))
            bought = await asyncio.gather(*(asyncio.to_thread(buy_until, deadline, *buyer) for buyer in buyers))
            killed = await killing
            paid, held = sum(bought, list[str]()), list[str]()
            for (frontend, _), domains in zip(buyers, bought, strict=True):
                held += await until_licensed(stack, frontend, domains)
                frontend.close()
            stripe = client_of(stack.endpoints.stripe_api_url, stack.endpoints.stripe_api_key)
            sessions = stripe.v1.checkout.sessions.list({"limit": 100, "status": "complete"})
            charged = sum(1 for _ in sessions.auto_paging_iter())
    print(f"{len(paid)} paid, {charged} complete at Stripe, {len(held)} licenses, {killed} workers killed")
    return 0 if sorted(paid) == sorted(held) and charged == len(paid) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    sys.exit(asyncio.run(run(parser.parse_args().seconds)))
