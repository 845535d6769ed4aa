"""Table structure from a page's picture and its words, without a neural model. Pure functions on arrays; no PDF, no files."""
