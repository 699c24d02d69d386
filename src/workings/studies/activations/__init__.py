"""Zero-centred activations: which are odd, what follows at zero, and what centring buys (gatech-2024-ps2, 2)."""
