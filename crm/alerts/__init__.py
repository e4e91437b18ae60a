"""What operators must know of: alerts, open until their cause ends."""
