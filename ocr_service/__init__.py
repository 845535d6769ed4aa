"""Self-hosted document OCR: PDFs and images in, trustworthy Markdown and JSON out."""

__version__ = "0.1.0"
