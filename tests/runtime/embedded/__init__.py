"""Tests of the embedded servers, each against a real one in a folder of its own."""
