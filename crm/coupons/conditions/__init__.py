"""Segment conditions of coupons."""
