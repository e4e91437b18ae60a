"""Journeys: what happens to members after a trigger, node by node, on the members' own time."""
