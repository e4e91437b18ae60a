"""The sign_ups capability."""
