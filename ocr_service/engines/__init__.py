"""Layout and OCR: one file per engine and per step of reading a page."""
