"""The words of docs/cost.md. No figure stands here."""

from __future__ import annotations

INTRODUCTION = """# Cost

Computed by `python -m infra.cost` from the prices at the end of the page; a test computes it again. Few of the prices
could be read at AWS itself when this was written: each says where it comes from. Check them before you rely on a sum.
Taxes, traffic to the internet (the first 100 GB of a month are free), free tiers except where said, Stripe's fees and
support are left out. ACU: Aurora's capacity unit, 2 GB of memory and the processor that goes with it.
"""

SMALL = """The database pauses when nothing is connected for five minutes, and is woken by whoever comes: a customer, an
event, and once an hour the dispatcher, who cannot come more often or it would never pause. What that costs in time: a
request that wakes it is answered 503 for about fifteen seconds, and Stripe delivers an event that met a sleeping
database again by itself; a job that has failed for longer than a quarter of an hour, a hint that was lost, and the seal
of the audit log wait for the hour. A deployment with steady traffic does not pause at all, and pays 0.5 ACU around the
clock.

**How Stripe is reached.** Functions must be inside the network to reach the database, and have no public address
there. Four ways out were looked at:

- IPv6 and an egress-only gateway, for nothing: AWS's services answer over IPv6, but the addresses that Stripe publishes
  are IPv4 (from memory: look before you build on it), and IPv6 does not lead there.
- One t4g.nano that translates addresses, as above: **small**. A single machine, restarted by EC2 when it fails; what
  Stripe could not deliver meanwhile comes again.
- A NAT gateway in each zone, as below: **large**. No machine to look after.
- Functions outside the network and a public database: a database that the internet reaches is out of the question.
"""
