"""The web page: files that the API serves as they are. No code of the service is here."""
