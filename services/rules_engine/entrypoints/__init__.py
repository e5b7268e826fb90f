"""Entrypoints of the rules engine: Kafka records, HTTP requests, loops. No decision is made here."""
