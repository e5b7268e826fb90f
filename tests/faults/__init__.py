"""Faults to survive, and the ledger that proves it."""
