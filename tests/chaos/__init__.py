"""Faults on purpose, over real processes: what must hold whatever breaks, and a table of what was seen."""
