"""A DCGAN that draws clothes (nyu-2025-hw3, question 3)."""
