"""Use cases of missions: definitions, progress, badges."""
