"""The vertical slices: one folder a study, every one with the same file names."""
