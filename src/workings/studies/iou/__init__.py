"""IoU: the overlap of two boxes, as a measure and as a loss (nyu-2023-hw, problem 3)."""
