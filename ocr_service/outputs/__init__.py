"""What is made of pages: Markdown, JSON, searchable PDF, tables."""
