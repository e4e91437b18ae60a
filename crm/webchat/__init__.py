"""The web chat's own memory: what other channels leave to their providers, Siyu keeps here by itself."""
