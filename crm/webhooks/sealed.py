"""Sealed columns of webhooks."""

from crm.db.sealed import Sealed
from crm.webhooks.models import EndpointRow
from crm.webhooks.policy import ADDRESS, OLDER_SECRET, SECRET

address = Sealed(EndpointRow, "address_sealed", f"{ADDRESS}:{{id}}")
secret = Sealed(EndpointRow, "secret_sealed", f"{SECRET}:{{id}}")
older_secret = Sealed(EndpointRow, "older_secret_sealed", f"{OLDER_SECRET}:{{id}}")
