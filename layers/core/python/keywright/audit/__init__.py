"""The append-only record of every mutation of consequence, written in the transaction of the mutation itself."""
