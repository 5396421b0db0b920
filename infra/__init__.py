"""Where Keywright runs: one manifest, and the targets (AWS, this machine) that read it."""
