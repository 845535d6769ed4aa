"""From the page's picture to words: the lines are found, cut out and read, by one recogniser or by two."""
