"""The embedded parts: a real Kafka, a real PostgreSQL and a mail sink, run as children of one process.

They serve `drumbeat run`, `make kafka` and the tests. The services never know: they are given addresses.
"""
