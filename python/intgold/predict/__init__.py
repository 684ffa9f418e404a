"""Classified images, for people."""
