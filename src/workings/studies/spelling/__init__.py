"""Spelling a word from its sounds (ist-2025-hw2, question 3)."""
