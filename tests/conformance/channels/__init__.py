"""One harness per channel: the far side of each, so that the suite can look and speak."""
