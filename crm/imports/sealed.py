"""Sealed columns of imports."""

from crm.db.sealed import Sealed
from crm.imports.models import ImportRow
from crm.imports.service import FILE

file = Sealed(ImportRow, "file_sealed", f"{FILE}:{{fingerprint}}")
