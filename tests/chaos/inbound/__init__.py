"""Rows about the way in and about what the whole deployment stands on: database, Valkey, clock, pool."""
