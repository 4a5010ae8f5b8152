"""What a query means: for each output column what it is made of, for the rows what decides them."""
