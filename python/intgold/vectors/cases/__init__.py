"""Inputs worth trying: stimuli, directed cases of ops, random models."""
