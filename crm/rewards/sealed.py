"""Sealed columns of rewards."""

from crm.db.sealed import Sealed
from crm.rewards.models import RedemptionRow

address = Sealed(RedemptionRow, "address", "redemptions.address:{id}")
