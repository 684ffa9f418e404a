"""Directed corner cases of every op, one module per group of ops; see `..op_corners`."""
