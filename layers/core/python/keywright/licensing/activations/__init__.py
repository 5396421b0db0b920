"""Licenses at work: a license that is shown to us counts or does not, and its machines take seats."""
