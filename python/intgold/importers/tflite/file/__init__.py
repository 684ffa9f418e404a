"""A .tflite file as plain tuples and arrays, checked before anything trusts it."""
