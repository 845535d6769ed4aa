"""The pool of page workers and what runs in a child."""
