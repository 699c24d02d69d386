"""Scenes: small convolutional networks on photographs of landscapes (ist-2025-hw2, question 2)."""
