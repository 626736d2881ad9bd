"""What follows from a deployment, in tables and words: the report of one, the comparison of several."""
