"""Use cases of rewards: the catalogue, redeeming, fulfilment."""
