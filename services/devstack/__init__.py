"""What only `make run` and the tests need: embedded Kafka, PostgreSQL and mail sink, the supervisor, the sample.

Its packages are the extra `[local]`; a production install has none of them.
"""
