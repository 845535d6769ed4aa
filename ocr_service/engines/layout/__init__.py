"""From lines to blocks: the regions of a page, their order, headings, running heads."""
