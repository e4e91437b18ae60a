"""What set-based SQL of other capabilities may read of coupons."""

from sqlalchemy import select

from crm.coupons.models import VoucherRow

vouchers = select(
    VoucherRow.id,
    VoucherRow.member_id,
    VoucherRow.coupon_id,
    VoucherRow.status,
    VoucherRow.source,
    VoucherRow.issued_at,
    VoucherRow.valid_from,
    VoucherRow.expires_at,
    VoucherRow.used_at,
).subquery("vouchers_view")
"""Every voucher: id, member_id, coupon_id, status, source, issued_at, valid_from, expires_at, used_at."""
