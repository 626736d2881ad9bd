"""Launch lines of serving and training frameworks, read into plans: one module for each framework."""
