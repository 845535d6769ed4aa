"""Everything that looks at pages: the engines and, in rooms of their own, the steps of reading a page."""
