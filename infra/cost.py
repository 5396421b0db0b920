"""
What a deployment costs, from a table of public prices.

``python -m infra.cost`` writes docs/cost.md, ``--check`` compares.

Everything that can be counted is counted from the manifest, the profiles and the alarms. What cannot is an assumption,
and is printed with the result. Decimal throughout; no price is guessed to be better than its source.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from infra.cost_tables import ASSUMPTIONS, PRICES, Price
from infra.cost_text import INTRODUCTION
from infra.cost_text import SMALL as SMALL_TEXT
from infra.manifest import FUNCTIONS, Secret
from infra.profiles import LARGE, SMALL, Profile, WayOut

PAGE = Path(__file__).parents[1] / "docs/cost.md"
HOURS = Decimal(730)
MILLION = Decimal(1_000_000)
_PRICE_HEAD = "| what | price | unit | source | standing |\n| --- | --- | --- | --- | --- |"
GATEWAYS = 2
Line = tuple[str, Decimal, str]
"""What it is for, dollars, and how it was computed."""


def price(name: str) -> Decimal:
    """Return a price of the table."""
    return PRICES[name].dollars


def assumed(name: str) -> Decimal:
    """Return an assumption's figure."""
    return ASSUMPTIONS[name].figure


def at_rest(profile: Profile, *, alarms: int) -> list[Line]:
    """Return what a month costs in which nobody does anything."""
    return [
        _database(profile),
        *([_proxy()] if profile.has_proxy else []),
        *_way_out(profile),
        _secrets(profile),
        _watching(alarms),
        _schedules(profile),
        *([_snapshots()] if profile.starts_from_snapshots else []),
    ]


def _database(profile: Profile) -> Line:
    capacity = Decimal(str(profile.least_capacity)) or assumed("capacity when awake")
    share = Decimal(1)
    if profile.pauses_after_s:
        share = (profile.pauses_after_s + assumed("seconds to wake and work")) / profile.least_every_s
    instances = 1 + profile.readers
    dollars = capacity * instances * share * HOURS * price("Aurora capacity") + price("Aurora storage")
    awake = f"{(share * 100).quantize(Decimal('0.1'))} % of the time"
    return "database", dollars, f"{instances} of {capacity} ACU, awake {awake}; 1 GB of data"


def _proxy() -> Line:
    least = assumed("least capacity of a proxy")
    return "pool of connections", least * HOURS * price("RDS Proxy"), f"RDS Proxy, at least {least} ACU"


def _way_out(profile: Profile) -> Iterable[Line]:
    if profile.way_out is WayOut.GATEWAY_PER_ZONE:
        hourly = price("NAT gateway") + price("public IPv4 address")
        yield "way out", GATEWAYS * HOURS * hourly, f"{GATEWAYS} NAT gateways, each with a public address"
        return
    hourly = price("t4g.nano instance") + price("public IPv4 address")
    yield "way out", HOURS * hourly + 8 * price("gp3 storage"), "one t4g.nano with a public address and 8 GB"


def _secrets(profile: Profile) -> Line:
    # The pool signs in with one, and functions are led to the pool by another.
    number = len(Secret) + int(profile.has_proxy)
    return "secrets", number * price("secret"), f"{number} secrets"


def _watching(alarms: int) -> Line:
    paid_alarms = max(0, alarms - int(assumed("alarms free of charge")))
    paid_figures = max(Decimal(0), assumed("figures of our own") - assumed("figures free of charge"))
    dollars = paid_alarms * price("alarm") + paid_figures * price("figure of one's own")
    return (
        "alarms and figures",
        dollars,
        f"{alarms} alarms, {assumed('figures of our own')} figures, less the free ones",
    )


def _schedules(profile: Profile) -> Line:
    runs = Decimal(2 * 3600) * HOURS / profile.least_every_s
    gb_s = runs * assumed("seconds of a dispatch") * Decimal("0.5")
    dollars = runs * price("Lambda request") / MILLION + gb_s * price("Lambda arm64")
    return "dispatching and sealing", dollars, f"{runs.quantize(Decimal(1))} invocations"


def _snapshots() -> Line:
    memory = sum((Decimal(each.memory_mb) / 1024 for each in FUNCTIONS if each.snap_start), Decimal(0))
    seconds = HOURS * 3600
    return "snapshots", memory * seconds * price("SnapStart cache"), f"{memory.normalize()} GB kept for quick starts"


def firewall() -> Decimal:
    """Return what the firewall costs a month where it is wanted."""
    return price("WAF ACL") + price("WAF rule")


def copies_of_a_gigabyte() -> Decimal:
    """Return what it costs a month that a GB is copied into another region every day."""
    return assumed("copies kept") * price("copy of the database") + HOURS / 24 * price("traffic between regions")


def copied_keys() -> Decimal:
    """Return what the copies of the keys that cannot be made again cost a month."""
    return 2 * price("secret")


def asking_for_a_secret() -> Decimal:
    """Return what it costs a month that a container which never rests reads one secret every minute."""
    return 60 * HOURS * price("asking for secrets") / 10_000


def per_million_webhooks() -> list[Line]:
    """Return what a million events of Stripe's cost on their way to the license."""
    gb_s = MILLION * (assumed("seconds of a webhook") + assumed("seconds of a fold")) * Decimal("0.5")
    log_gb = MILLION * assumed("bytes of log per webhook") / Decimal(1_000_000_000)
    return [
        ("API", price("HTTP API"), "one request each"),
        ("invocations", 2 * price("Lambda request"), "webhook and worker"),
        ("computing", gb_s * price("Lambda arm64"), f"{gb_s.quantize(Decimal(1))} GB-s"),
        ("queue", 3 * price("SQS"), "sent, received, deleted"),
        ("logs", log_gb * price("log"), f"{log_gb} GB"),
        ("storage", assumed("GB per million events") * price("Aurora storage"), "a month of it"),
    ]


def per_10_000_licenses() -> list[Line]:
    """Return what ten thousand licenses cost to issue."""
    licenses, per_event = Decimal(10_000), total(per_million_webhooks()) / MILLION
    webhooks = licenses * assumed("webhooks per license")
    jobs = licenses * assumed("jobs per license")
    gb_s = jobs * assumed("seconds of a job") * Decimal("0.5")
    job_dollars = jobs * (price("Lambda request") + 3 * price("SQS")) / MILLION + gb_s * price("Lambda arm64")
    mails = licenses * price("mail") / 1000
    return [
        ("webhooks", webhooks * per_event, f"{webhooks} events"),
        ("jobs", job_dollars, f"{jobs} jobs"),
        ("mail", mails, f"{licenses} mails"),
        ("bus", licenses * price("bus event") / MILLION, "license.issued"),
    ]


def per_billion_usage_events() -> list[Line]:
    """Return what a billion usage events cost to take in and keep for a month."""
    events, batch = Decimal(1_000_000_000), assumed("usage events in a request")
    requests = events / batch
    gb_s = requests * assumed("seconds of a usage request") * Decimal("0.5")
    gigabytes = events * assumed("bytes of a usage event") / Decimal(1_000_000_000)
    capacity_hours = events / assumed("usage events a second per ACU") / 3600
    writes = events / assumed("usage events per write")
    return [
        ("API", requests / MILLION * price("HTTP API"), f"{requests.quantize(Decimal(1))} requests"),
        ("invocations", requests / MILLION * price("Lambda request"), "one each"),
        ("computing", gb_s * price("Lambda arm64"), f"{gb_s.quantize(Decimal(1))} GB-s"),
        ("database at work", capacity_hours * price("Aurora capacity"), f"{capacity_hours.quantize(Decimal(1))} ACU-h"),
        ("writes", writes / MILLION * price("Aurora requests"), f"{writes.quantize(Decimal(1))} I/O requests"),
        ("storage", gigabytes * price("Aurora storage"), f"{gigabytes} GB for a month"),
    ]


def total(lines: Iterable[Line]) -> Decimal:
    """Add the dollars up."""
    return sum((dollars for _, dollars, _ in lines), Decimal(0))


def page(*, alarms: int) -> str:
    """Write the page."""
    small, large = at_rest(SMALL, alarms=alarms), at_rest(LARGE, alarms=alarms)
    sums = (
        f"A month at rest: **{_dollars(total(small))}** in the small profile, **{_dollars(total(large))}** in the "
        f"large one; the firewall, where it is wanted, adds {_dollars(firewall())}, and copies in another region "
        f"{_dollars(copied_keys())} for the keys and {_dollars(copies_of_a_gigabyte())} for each GB of the database.\n"
        "A container that is busy around the clock asks for each of its secrets once a minute, which adds "
        f"{_dollars(asking_for_a_secret())} for each.\n"
    )
    assumptions = "\n".join(f"| {name} | {each.figure} | {each.why} |" for name, each in ASSUMPTIONS.items())
    prices = "\n".join(_row(name, each) for name, each in PRICES.items())
    parts = [
        INTRODUCTION,
        sums,
        f"## The small profile at rest\n\n{_table(small)}",
        SMALL_TEXT,
        f"## The large profile at rest\n\n{_table(large)}",
        f"## A million webhooks\n\n{_table(per_million_webhooks())}",
        f"## Ten thousand licenses\n\n{_table(per_10_000_licenses())}",
        f"## A billion usage events\n\n{_table(per_billion_usage_events())}",
        f"## Assumptions\n\n| what | figure | why |\n| --- | --- | --- |\n{assumptions}\n",
        f"## Prices\n\nIn US dollars, region us-east-1.\n\n{_PRICE_HEAD}\n{prices}",
    ]
    return "\n".join(parts) + "\n"


def _table(lines: list[Line]) -> str:
    rows = [f"| {name} | {_dollars(dollars)} | {how} |" for name, dollars, how in lines]
    return "\n".join(
        ["| what | dollars | of |", "| --- | --- | --- |", *rows, f"| **all** | {_dollars(total(lines))} | |", ""]
    )


def _row(name: str, each: Price) -> str:
    return f"| {name} | {each.dollars} | {each.unit} | {each.source} | {each.standing} |"


def _dollars(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))


def main() -> int:
    """Write the page, or compare it."""
    # The alarms are known where resources are made; only this command needs to ask there.
    from infra.constructs.alarms import ALARMS  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m infra.cost", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    written = page(alarms=len(ALARMS))
    if parser.parse_args().check:
        if PAGE.read_text() != written:
            sys.exit(f"{PAGE.name} is out of date: say `python -m infra.cost`")
        return 0
    PAGE.write_text(written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
