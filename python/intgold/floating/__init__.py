"""Floats and torch: train, calibrate, quantize, simulate.  Nothing behind the wall needs it."""
