"""Tests of the processes and of what starts them."""
