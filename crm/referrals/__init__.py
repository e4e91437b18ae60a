"""The referrals capability."""
