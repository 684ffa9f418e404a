"""Training of the MNIST network, and from data to models in one call."""
