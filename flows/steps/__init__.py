"""What flows share: small database steps, question types and pure helpers."""
