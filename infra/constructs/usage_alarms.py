"""The alarms on usage, over the figures that the dispatcher prints: what is not counted as it should be."""

from __future__ import annotations

from collections.abc import Iterator

from infra.constructs.watching import IGNORED, Alarm, minutes

_LONGEST_WAIT_S = 7200


def alarms() -> Iterator[Alarm]:
    """Yield what is watched of usage."""
    yield Alarm(
        name="UsageDrift",
        page="usage-drift",
        text="Stripe's sums of usage differ from ours: table usage_drift.",
        metric=lambda watched: watched.figure("UsageDrift"),
        lasts=minutes(5),
        silence=IGNORED,
    )
    yield Alarm(
        name="UsageRejected",
        page="usage-rejected",
        text="Usage was refused within a week: REJECTED in GET /v1/usage says why.",
        metric=lambda watched: watched.figure("UsageRejected"),
        silence=IGNORED,
    )
    yield Alarm(
        name="UsageWaits",
        page="usage-waits",
        text="Sealed usage has waited for two hours to be told.",
        metric=lambda watched: watched.figure("UsageWaitAge"),
        threshold=lambda watched: _LONGEST_WAIT_S + watched.patience_s,
        lasts=minutes(5),
        silence=IGNORED,
    )
