"""Properties: contracts tried on random input that keeps them."""
