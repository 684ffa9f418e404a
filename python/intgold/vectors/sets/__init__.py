"""Golden-vector sets: written, read, checked."""
