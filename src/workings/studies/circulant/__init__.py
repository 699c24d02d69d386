"""Circulant: convolutions, shifts, and which networks respect them (gatech-2024-ps2, question 5)."""
