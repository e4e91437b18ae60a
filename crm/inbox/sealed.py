"""Sealed columns of the inbox."""

from crm.db.sealed import Sealed
from crm.inbox.models import InboundUpdateRow
from crm.inbox.service import PAYLOAD

payload = Sealed(InboundUpdateRow, "payload", f"{PAYLOAD}:{{id}}")
