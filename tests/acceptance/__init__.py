"""Siyu as it is deployed: real processes, real servers, real HTTP."""
