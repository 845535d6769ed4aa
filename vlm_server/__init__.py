"""POST /v1/markdown for stock vLLM: an endpoint plugin, installed into vLLM's environment. Knows nothing of the service."""
