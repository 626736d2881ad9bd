"""The sections of a report, each worked out from a subject."""
