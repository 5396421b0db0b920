"""
The manifest as processes on this machine: a second deployment target beside AWS.

Nothing in ``functions/`` or the layers knows it. It differs from AWS by values only, and no deployed code
imports it.
"""
