"""
Which buckets guard what. Pure: taking from them is the affair of ``throttling``.

A password may be guessed at most ten times an hour from places that are new to the account, and as often from places
where its owner has been: two buckets, so that a stranger's guesses do not make the owner wait. Both together bound the
hashes that one account can cost us, whoever asks and from how many addresses.
"""

from __future__ import annotations

from datetime import timedelta

from keywright.throttling.models import Bucket, Limit

GUESSES = Limit(burst=5, interval=timedelta(minutes=12))
GUESSES_PER_NETWORK = Limit(burst=100, interval=timedelta(seconds=30))
REQUESTS_PER_NETWORK = Limit(burst=200, interval=timedelta(seconds=1))
MAILS = Limit(burst=5, interval=timedelta(minutes=12))


def guesses(*, email: str, network: str, known: bool) -> list[Bucket]:
    """Return what a password guess is taken from; ``email`` need not belong to anybody."""
    place = "known" if known else "new"
    return [Bucket(f"guess-from-{place}-place", email, GUESSES), Bucket("guess", network, GUESSES_PER_NETWORK)]


def requests(*, network: str) -> Bucket:
    """Return what a request is taken from that costs a hash or a mail and asks for no proof."""
    return Bucket("request", network, REQUESTS_PER_NETWORK)


def mails(*, email: str) -> Bucket:
    """Return what a mail is taken from that anybody can have sent to anybody."""
    return Bucket("mail", email, MAILS)
