"""Runs conversations as durable coroutines: what a flow already did is journaled, so nothing is done twice."""
