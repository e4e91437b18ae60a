"""Mutation testing of the ledger: small faults are put into it one by one, and the tests have to notice each."""
