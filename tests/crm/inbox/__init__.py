"""The capability crm.inbox."""
