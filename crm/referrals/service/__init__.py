"""Use cases of referrals: programmes, links, joining, qualifying, review, taking back."""
