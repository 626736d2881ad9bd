"""One rule per module; a module that stands here is a rule. See README.md one folder up."""
