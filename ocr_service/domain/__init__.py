"""The values that flow through the service, its errors and its ports. Standard library only."""
