"""
The whole of Keywright on this machine: database, AWS, Stripe, DNS, functions, portal. Up side by side, down in order.

It assembles; each part lives in its own module. Enter it from the main thread (see ``infra.local.children``).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.local import keys
from infra.local.aws.provision import provision
from infra.local.children import Child, stop_all
from infra.local.cloud import Cloud
from infra.local.database import DatabaseServer, Endpoint, PortLost, given_database
from infra.local.endpoints import Endpoints
from infra.local.http_server import HttpServer
from infra.local.lambda_runtime.invocation import InvocationFailed
from infra.local.limits import Limits
from infra.local.manager import create_manager, manager_address
from infra.local.portal import static_site
from infra.local.ports import LOOPBACK, free_port, is_free
from infra.local.seed import seed_products
from infra.local.stripe_account import StandIn, StripeAccount, given_account, new_api_key
from infra.local.trouble import Trouble
from infra.local.values import function_values
from infra.manifest import Secret

ROOT = Path(__file__).resolve().parents[2]


class MigrationFailed(Trouble):
    """The migrate function failed."""


class PortTaken(Trouble):
    """A port that was asked for is in use."""


@dataclass(frozen=True)
class Options:
    """
    What one stack is made with. ``profile`` names its data in ``state``; port 0 means any free one.

    Without ``limits`` the API takes as much as the machine can bear: for those who measure it.
    """

    state: Path
    profile: str
    api_port: int = 0
    portal_port: int = 0
    mailbox_port: int = 0
    stripe_port: int = 0
    dns_port: int = 0
    reload: bool = False
    limits: Limits | None = field(default_factory=Limits)

    def fixed_ports(self) -> dict[str, int]:
        """List the ports that must be free, by what they are meant for."""
        ports = {
            "the API": self.api_port,
            "the portal": self.portal_port,
            "the mailbox": self.mailbox_port,
            "the Stripe stand-in": self.stripe_port,
            "the DNS server": self.dns_port,
        }
        return {what: port for what, port in ports.items() if port}


class LocalStack:
    """
    ``async with LocalStack(options, log=log) as stack``: inside, ``stack.endpoints`` answer.
    """

    def __init__(self, options: Options, *, log: Callable[[str, str], None]) -> None:
        self._options = options
        self._log = log
        self._keys = options.state / "keys" / f"{options.profile}.json"
        self._children: list[Child] = []
        self._opened = contextlib.AsyncExitStack()
        self._endpoints: Endpoints | None = None
        self._cloud: Cloud | None = None

    @property
    def endpoints(self) -> Endpoints:
        """Where the stack answers; known once it is up."""
        assert self._endpoints is not None, "the stack is not up"
        return self._endpoints

    @property
    def cloud(self) -> Cloud:
        """The functions, queues and schedules; known once they run."""
        assert self._cloud is not None, "the stack is not up"
        return self._cloud

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            # Whatever went wrong, Ctrl-C included: what was started so far must not stay.
            await self._opened.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    async def watch(self) -> None:
        """
        Wait as long as every child lives.

        :raises ChildError: as soon as one has ended by itself
        """
        await asyncio.gather(*(child.watch() for child in self._children))

    async def _start(self) -> None:
        check_ports(self._options)
        account = given_account(os.environ)
        self._opened.callback(lambda: stop_all(self._children))
        api_port = self._options.api_port or free_port()
        api_url = f"http://{LOOPBACK}:{api_port}"
        portal = await self._start_portal(api_url)
        # Everything that takes a while to start is started first, and waited for where it is needed.
        aws = self._spawn("aws", "infra.local.aws", "--mailbox-port", self._options.mailbox_port)
        names = self._spawn("dns", "infra.local.dns", "--port", self._options.dns_port)
        stand_in = None if account else self._spawn_stand_in()
        own_keys = asyncio.create_task(asyncio.to_thread(keys.load_or_make, self._keys))
        database = await self._start_database(fresh=stand_in is not None)
        if stand_in is not None:
            account = await asyncio.to_thread(stand_in.register_webhook, receiver=api_url)
        assert account is not None
        ready, dns = await asyncio.to_thread(aws.wait_ready), await asyncio.to_thread(names.wait_ready)
        await asyncio.to_thread(provision, ready["url"], secrets_of(database, account, await own_keys))
        environment = function_values(
            aws_url=ready["url"],
            api_url=api_url,
            portal_url=portal.url,
            stripe_api_url=account.api_url,
            dns_resolvers=dns["resolvers"],
        )
        await self._start_cloud(environment, api_port, portal_url=portal.url)
        email, password = await self._make_manager(environment, seeded=account if stand_in else None)
        self._endpoints = Endpoints(
            api_url=api_url,
            portal_url=portal.url,
            docs_url=f"{api_url}/docs",
            mailbox_url=ready["mailbox_url"],
            dns_url=dns["url"],
            stripe_api_url=account.api_url,
            stripe_api_key=account.api_key,
            stripe_webhook_secret=account.webhook_secret,
            database_url=database.url,
            manager_email=email,
            manager_password=password,
        )

    async def _make_manager(self, environment: dict[str, str], *, seeded: StripeAccount | None) -> tuple[str, str]:
        """
        Make the manager's account and, beside it, the products of the stand-in.
        """
        fresh = seeded is not None and "DATABASE_URL" not in os.environ
        making = asyncio.create_task(create_manager(environment, email=manager_address(fresh=fresh)))
        try:
            if seeded is not None:
                await asyncio.to_thread(seed_products, seeded.client())
            return await making
        finally:
            making.cancel()

    def _spawn_stand_in(self) -> StandIn:
        api_key = new_api_key()
        child = self._spawn("stripe", "infra.local.stripe", "--port", self._options.stripe_port, "--api-key", api_key)
        return StandIn(child, api_key)

    def _spawn(self, name: str, module: str, *arguments: object) -> Child:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        child = Child(name, command, cwd=ROOT, log=self._log)
        self._children.append(child)
        return child

    async def _start_portal(self, api_url: str) -> HttpServer:
        portal = HttpServer(static_site(ROOT / "portal", api_url=api_url), port=self._options.portal_port)
        self._opened.push_async_callback(portal.stop)
        await portal.start()
        return portal

    async def _start_database(self, *, fresh: bool) -> Endpoint:
        """
        Start the database, unless one was given. ``fresh``: the stand-in forgets everything when it ends, and a
        mirror of what is gone would be wrong in every row; so its database of our own begins anew as well.
        """
        if url := os.environ.get("DATABASE_URL"):
            return await asyncio.to_thread(given_database, url)
        folder = self._options.state / "database"
        server = DatabaseServer(
            folder / self._options.profile, unpacked=folder / "server", say=lambda line: self._log("database", line)
        )
        await asyncio.to_thread(server.prepare)
        self._opened.push_async_callback(asyncio.to_thread, server.stop)
        endpoint = await self._launched(server)
        if fresh:
            await asyncio.to_thread(server.recreate_database)
        return endpoint

    async def _launched(self, server: DatabaseServer) -> Endpoint:
        while True:
            child = server.launch()
            with contextlib.suppress(PortLost):
                endpoint = await asyncio.to_thread(server.wait_ready)
                self._children.append(child)
                return endpoint

    async def _start_cloud(self, environment: dict[str, str], port: int, *, portal_url: str) -> None:
        self._cloud = cloud = Cloud(
            root=ROOT,
            environment=environment,
            port=port,
            origins=[portal_url],
            limits=self._options.limits,
            log=self._log,
        )
        self._opened.push_async_callback(cloud.stop)
        await cloud.start(reload=self._options.reload)
        try:
            await cloud.invoke("migrate", {})
        except InvocationFailed as error:
            raise MigrationFailed(f"The schema could not be brought up to date: {error}") from error


def check_ports(options: Options) -> None:
    """
    :raises PortTaken: naming what the port was meant for
    """
    for what, port in options.fixed_ports().items():
        if not is_free(port):
            raise PortTaken(f"Port {port}, meant for {what}, is in use: stop what listens there, or choose others.")


def secrets_of(
    database: Endpoint, account: StripeAccount, own_keys: dict[Secret, dict[str, Any]]
) -> dict[Secret, dict[str, Any]]:
    """
    Gather the value of every secret of the manifest.
    """
    return {
        Secret.DATABASE: database.secret(database.app),
        Secret.DATABASE_OWNER: database.secret(database.owner),
        Secret.STRIPE: account.secret(),
        **own_keys,
    }
