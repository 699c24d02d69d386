"""Tensor code that at least two studies use; imports torch alone. A slice's own code stays in the slice until then."""
