"""What runs under every stage; each undercurrent touches the work by passes and observers only."""
