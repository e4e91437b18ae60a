"""The journeys capability."""
