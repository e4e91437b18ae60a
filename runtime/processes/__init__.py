"""One small file per long-running process."""
