"""Use cases of draws: definitions, opening and closing, chances, playing, verification."""
