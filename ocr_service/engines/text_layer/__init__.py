"""The text that a PDF page itself carries, and whether it is to be believed."""
