"""Toy studies for the report."""
