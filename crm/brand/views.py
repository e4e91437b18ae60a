"""What statements of other capabilities may read of the brand."""

from sqlalchemy import select

from crm.brand.models import BrandRow

zone = select(BrandRow.time_zone).scalar_subquery()
"""The zone of the brand; NULL until an operator changed anything."""
