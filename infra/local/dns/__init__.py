"""A small DNS server on loopback, in the place of the world's: what it answers is set over HTTP."""
