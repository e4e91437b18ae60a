"""Tests of check_ins."""
