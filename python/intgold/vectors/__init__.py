"""Stimulus, golden-vector sets and random models for hardware verification."""
