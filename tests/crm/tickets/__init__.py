"""The capability crm.tickets."""
