"""What a model said becomes content of a block. Everything it said is untrusted text; nothing here raises, whatever it said."""
