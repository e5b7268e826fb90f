"""What drives the scheduler: HTTP, the Kafka consumer, the workers."""
