"""Users, their sessions and their tokens: who is calling, and is that still true."""
