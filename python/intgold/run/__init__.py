"""A model on a backend: runs, sessions, results, digests."""
