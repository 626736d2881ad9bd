"""The graph and what is asked of it."""
