"""What datasets cost against who reads them."""
