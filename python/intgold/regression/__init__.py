"""Both engines over many images, and the self-test."""
