"""PyTorch modules in and out: the only torch but that of training."""
