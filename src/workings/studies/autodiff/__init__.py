"""Autodiff: derivatives of programs, forwards and in reverse (gatech-2024-ps2, question 4)."""
