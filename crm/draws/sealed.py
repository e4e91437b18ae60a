"""Sealed columns of draws."""

from crm.db.sealed import Sealed
from crm.draws.models import DrawRow

seed = Sealed(DrawRow, "sealed_seed", "draws.sealed_seed:{id}")
