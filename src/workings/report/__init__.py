"""What the evidence says, for people to read: a static site that opens from disk.

The report reads evidence and claims, and nothing else; it runs nothing and decides nothing.
"""
