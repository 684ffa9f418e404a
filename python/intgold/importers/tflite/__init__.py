"""TFLite files: read, then turned op by op into a model by the rules of a contract."""
