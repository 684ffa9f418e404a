"""How arrays become memory words: layout, packing, addresses."""
