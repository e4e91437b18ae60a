"""Segment conditions of referrals."""
