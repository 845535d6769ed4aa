"""What the VLM answers, held against what was read without it. Pure: no HTTP, no pixels."""
