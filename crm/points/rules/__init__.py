"""Kinds of earning rules, one module each."""
