"""The client of the VLM server."""
