"""CLIP: search photographs with words."""
