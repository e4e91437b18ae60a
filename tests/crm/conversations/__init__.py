"""The capability crm.conversations."""
