"""Addresses as operators give them to commands."""

from __future__ import annotations

import argparse


def address(text: str) -> str:
    """
    Return an address without a slash at its end.

    :raises argparse.ArgumentTypeError: if it is none, which the parser tells in one line
    """
    if not text.startswith(("https://", "http://")):
        raise argparse.ArgumentTypeError(f"{text!r} is no address such as https://api.example.com")
    return text.rstrip("/")
