"""Outgoing webhooks: signed messages about events, tried again until they arrive or are given up."""
