"""A model for people: table of ops, footprint, data sheet."""

from .summary import describe, description

__all__ = ["describe", "description"]
