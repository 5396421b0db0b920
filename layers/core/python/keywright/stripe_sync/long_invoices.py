"""
Invoices of more lines than Stripe puts into an event: what an observation leaves out is taken from one that has it all.

Such an observation tells of the invoice and of its first lines. If another one has all lines, these among them, and
the sum is the same, the lines are the same too, unless they may have changed between the two: only a draft's can. So
what is cut never takes the place of what is whole, whatever the order; where nothing whole fits, the invoice is
fetched. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from keywright.billing.models import Invoice
from keywright.stripe_sync.fold import Observed

CUT = "it has more lines than Stripe puts into an event"


def completed(observations: Sequence[Observed[Invoice]]) -> list[Observed[Invoice]]:
    """Return the observations, with all lines where any of them knows these."""
    whole = sorted((seen for seen in observations if seen.state.all_lines), key=_place, reverse=True)
    return [seen if seen.state.all_lines else _filled(seen, whole) for seen in observations]


def _filled(cut: Observed[Invoice], whole: Sequence[Observed[Invoice]]) -> Observed[Invoice]:
    source = next((seen for seen in whole if _has_lines_of(seen, cut)), None)
    if source is None:
        return cut
    return replace(cut, state=replace(cut.state, lines=source.state.lines, all_lines=True))


def _has_lines_of(seen: Observed[Invoice], cut: Observed[Invoice]) -> bool:
    if seen.state.total != cut.state.total or not set(cut.state.lines) <= set(seen.state.lines):
        return False
    return seen.state.status != "draft" or (seen.moment >= cut.moment and cut.state.status == "draft")


def _place(seen: Observed[Invoice]) -> tuple[bool, object, str]:
    return seen.state.status != "draft", seen.moment, seen.event_id
