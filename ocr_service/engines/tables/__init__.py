"""Tables from a page's picture and its words, without a neural model. Pure functions; no PDF, no files."""
