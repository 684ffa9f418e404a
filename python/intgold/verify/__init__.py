"""The dump of a device compared with a golden-vector set."""
