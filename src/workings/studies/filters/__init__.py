"""Filters: 3×3 kernels for edges, blur, sharpening and noise, and why each works (nyu-2023-hw, question 2)."""
