"""What a page is while it is read: its picture and size, its ink, its words and lines."""
