"""The prices and assumptions behind docs/cost.md: each figure with where it comes from and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

_READ = "read there, not at AWS"
_REMEMBERED = "UNVERIFIED"
_CONFLICT = "sources conflict; the higher one"


@dataclass(frozen=True)
class Price:
    """Dollars per unit, who says so and when, and whether it was checked."""

    dollars: Decimal
    unit: str
    source: str
    standing: str


@dataclass(frozen=True)
class Assumption:
    """A figure that nobody has measured on AWS, and why it is this one."""

    figure: Decimal
    why: str


def _price(dollars: str, unit: str, source: str, standing: str) -> Price:
    return Price(Decimal(dollars), unit, source, standing)


def _assumed(figure: str, why: str) -> Assumption:
    return Assumption(Decimal(figure), why)


PRICES = {
    "Lambda arm64": _price("0.0000133334", "GB-s", "cloudchipr.com, 2024", _READ),
    "Lambda request": _price("0.20", "million", "git.mcrn.ar notes, 2026", _READ),
    "SnapStart cache": _price("0.0000015046", "GB-s", "awsnegotiations.com, May 2026", _READ),
    "HTTP API": _price("1.00", "million, the first 300", "AWS whitepaper on private APIs, undated copy", "AWS's own"),
    "SQS": _price("0.40", "million requests", "cloudburn.io, 14 March 2026", _READ),
    "bus event": _price("1.00", "million events", "cloudburn.io, 13 March 2026", _READ),
    "mail": _price("0.10", "thousand mails", "acecloudinterviews.com, undated", _READ),
    "Aurora capacity": _price("0.12", "ACU-h", "c3x.dev undated, usage.ai 10 June 2026", _CONFLICT),
    "Aurora storage": _price("0.10", "GB-month", "cloudexmachina.io, 2 September 2025", _READ),
    "Aurora requests": _price("0.20", "million I/O requests", "jusdb.com, undated", _READ),
    "RDS Proxy": _price("0.015", "ACU-h", "from memory; the least of 8 ACU: serverworks.co.jp, June 2024", _REMEMBERED),
    "NAT gateway": _price("0.045", "h", "cloudburn.io 24 February 2026, egresscost.com March 2026", _READ),
    "t4g.nano instance": _price("0.0042", "h", "fck-nat.dev, undated: 3.06 a month", _READ),
    "public IPv4 address": _price("0.005", "h", "factualminds.com, 2026: 3.60 a month since February 2024", _READ),
    "gp3 storage": _price("0.08", "GB-month", "saisci.com, 4 February 2021", _READ),
    "secret": _price("0.40", "month", "hivebook.wiki, undated", _READ),
    "copy of the database": _price("0.021", "GB-month", "from memory", _REMEMBERED),
    "traffic between regions": _price("0.02", "GB", "factualminds.com, 13 June 2026", _READ),
    "asking for secrets": _price("0.05", "10,000 calls", "hivebook.wiki, undated", _READ),
    "alarm": _price("0.10", "month", "c3x.dev, undated", _READ),
    "figure of one's own": _price("0.30", "month", "signoz.io, 15 February 2026", _READ),
    "log": _price("0.50", "GB taken in", "factualminds.com, 13 June 2026", _READ),
    "WAF ACL": _price("5.00", "month", "c3x.dev and awsnegotiations.com, 2026", _READ),
    "WAF rule": _price("1.00", "month", "c3x.dev and awsnegotiations.com, 2026", _READ),
}

ASSUMPTIONS = {
    "copies kept": _assumed("14", "a daily copy is kept two weeks; each is taken to be a full one"),
    "capacity when awake": _assumed("0.5", "the lowest step above the pause"),
    "seconds to wake and work": _assumed("15", "how long a paused cluster is said to take, and the work beside it"),
    "least capacity of a proxy": _assumed("8", "see the price"),
    "alarms free of charge": _assumed("10", "AWS's page of prices, undated copy"),
    "figures of our own": _assumed("27", "what the dispatcher prints when nothing happens, by name and kind"),
    "figures free of charge": _assumed("10", "AWS's page of prices, undated copy"),
    "seconds of a dispatch": _assumed("0.2", "a few statements; not measured on AWS"),
    "seconds of a webhook": _assumed("0.010", "ten times what this machine's processor needs; not measured on AWS"),
    "seconds of a fold": _assumed("0.010", "the same; a batch of ten is one invocation"),
    "bytes of log per webhook": _assumed("2000", "one line of the API and one of each function"),
    "GB per million events": _assumed("8", "events of some 6 kB with their indexes"),
    "webhooks per license": _assumed("8", "a subscription's purchase, all events of it"),
    "jobs per license": _assumed("3", "mail, bus, customer at Stripe"),
    "seconds of a job": _assumed("0.3", "an answer of Stripe's or SES's"),
    "usage events in a request": _assumed("500", "a batch as the verifier sends it"),
    "seconds of a usage request": _assumed("0.05", "500 rows and their validation; not measured on AWS"),
    "bytes of a usage event": _assumed("200", "a row with its unique key"),
    "usage events a second per ACU": _assumed("10000", "a tenth of what one process reaches on this machine"),
    "usage events per write": _assumed("50", "pages of 16 kB, part filled"),
}
