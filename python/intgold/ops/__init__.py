"""The op table: every op with its fields, shape rule and int32 bounds (SPEC 3 to 7)."""
