"""One term a step: whether stochastic gradient descent always goes down (gatech-2024-ps2, question 6)."""
