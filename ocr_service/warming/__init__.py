"""The first requests after a start, made by ourselves: what is wrong is told before a user meets it."""
