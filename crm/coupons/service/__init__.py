"""Use cases of coupons: defining, issuing, showing, and the counter."""
