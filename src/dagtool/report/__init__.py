"""Findings and documents: text, JSON, SARIF, JUnit."""
