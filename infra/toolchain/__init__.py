"""How a bare machine becomes one that can work on Keywright: standard library only, since nothing is installed yet."""
