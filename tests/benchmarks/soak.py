"""
Buys licenses for minutes while workers are killed, then compares the books. Loopback only; it stops by itself.

``python -m tests.benchmarks.soak --seconds 300``
"""
