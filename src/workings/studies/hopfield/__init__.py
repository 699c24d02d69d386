"""Hopfield: an associative memory whose update is attention (ist-2025-hw2, question 1)."""
