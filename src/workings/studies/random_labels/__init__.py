"""Networks that learn random labels by heart (gatech-2024-ps2, question 7)."""
