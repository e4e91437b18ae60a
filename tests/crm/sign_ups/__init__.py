"""Tests of sign_ups."""
