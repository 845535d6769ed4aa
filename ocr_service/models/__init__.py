"""Model weights on disk: which there are, how they get there, and whether they are whole."""
