"""How far predictions are from measurements: rows of a file, predicted, beside what a constant would have said."""
