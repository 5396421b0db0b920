"""
Finds where we and Stripe differ, says so, and mends it through the inbox.

It never writes the mirror or a license itself: what it finds becomes an observation or another fold of what is stored.
"""
