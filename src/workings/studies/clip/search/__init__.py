"""Photographs found by words: which files are there, their vectors on disk, the nearest of them, a sheet to look at."""
