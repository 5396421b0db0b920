"""Trouble that a person can mend: it is told in one message, without a traceback."""


class Trouble(Exception):
    """Something outside the code is not as the local target needs it. The message says what to do."""
