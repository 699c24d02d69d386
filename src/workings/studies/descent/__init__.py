"""Descent: gradient descent on a quadratic, and what momentum adds (nyu-2023-hw, problem 1)."""
