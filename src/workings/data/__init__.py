"""Datasets: one file for each, and readers for a person's own files. Every dataset is known by its content."""
