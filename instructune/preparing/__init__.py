"""What `prepare` finds out about records, and what it makes of them."""
