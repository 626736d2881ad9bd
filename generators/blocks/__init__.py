"""The model's blocks, one module for each kind of mixer and feed-forward; what they share lies beside them."""
