"""What operators changed about retention."""

from sqlalchemy import Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, Timestamp


class RetentionRow(Base):
    """The days for which one class of data is kept, where they are not those that Siyu ships."""

    __tablename__ = "retention_rules"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    days: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[Timestamp]
