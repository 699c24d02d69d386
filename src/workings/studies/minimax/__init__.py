"""Minimax: gradient methods at a saddle point (nyu-2025-hw3, question 1)."""
