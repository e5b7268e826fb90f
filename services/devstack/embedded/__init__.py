"""The embedded parts: a real Kafka, a real PostgreSQL and a mail sink, as child processes.

`drumbeat run`, `make kafka` and the tests use them. The services do not know: they get addresses.
"""
