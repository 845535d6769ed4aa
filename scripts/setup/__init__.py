"""Sets the project up on a machine that has nothing but Python: standard library only, and it runs before anything is installed."""
