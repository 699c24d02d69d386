"""Carrying trials out: here, one after another or in several processes."""
