"""Usage-based billing: meters, the events they count, and what becomes of events that cannot be counted."""
