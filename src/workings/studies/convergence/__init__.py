"""Convergence: how fast the subgradient method with averaging approaches a minimum."""
