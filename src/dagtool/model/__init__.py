"""What is deployed, and where: sizes, meshes, tensor types, the model."""
