"""The check_ins capability."""
