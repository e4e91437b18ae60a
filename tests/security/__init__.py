"""What must never happen, tried over everything that there is."""
