"""The keys that sign licenses: the ring of them, its rotation, and who still needs which."""
