"""Sealed columns of tickets."""

from crm.db.sealed import Sealed
from crm.tickets.models import TicketRow

note = Sealed(TicketRow, "note", "tickets.note:{id}")
