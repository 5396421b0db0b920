"""
How the parts of the local target say what happens: a source, such as ``auth[4711]``, and a line.
"""

from __future__ import annotations

from collections.abc import Callable

Log = Callable[[str, str], None]
