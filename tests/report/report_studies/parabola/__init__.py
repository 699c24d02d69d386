"""A toy study: gradient descent on x², noisy where it reads data."""
