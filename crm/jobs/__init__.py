"""Work to be done later, enqueued in the caller's transaction."""
