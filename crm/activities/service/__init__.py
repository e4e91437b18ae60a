"""Use cases of activities: keeping them, registering, the waiting list, checking in, telling ahead, reporting."""
