"""Usage that came out of air gaps: exports, signed by their machines, in an unbroken chain."""
