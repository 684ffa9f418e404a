"""One file per kind of op: an op of the file becomes ops of the model."""
