"""Plans: a deployment by its degrees, as words and launch lines give them, written as a strategy document."""
