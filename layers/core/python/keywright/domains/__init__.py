"""The domain names that licenses are bound to. A name is claimed freely and proven by DNS."""
