"""A study small enough to hold in mind, for the tests."""
