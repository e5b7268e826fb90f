"""Benchmarks of the rules alone: no broker, no database, processor time only."""
