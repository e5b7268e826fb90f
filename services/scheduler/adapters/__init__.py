"""The calendar in PostgreSQL, and what is said about it on Kafka."""
