"""AlexNet on CIFAR-10 (nyu-2023-hw, question 4)."""
