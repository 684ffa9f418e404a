"""A model for people: table of ops, footprint, data sheet."""
