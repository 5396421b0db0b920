"""Figures, not verdicts: ``make bench`` prints what this machine did just now. No test depends on them."""
