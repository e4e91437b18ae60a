"""Coupons and the vouchers issued of them."""
