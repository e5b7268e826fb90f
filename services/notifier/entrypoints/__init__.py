"""What starts the use cases: Kafka records, HTTP requests and loops. Nothing is decided here."""
