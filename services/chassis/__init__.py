"""The microservice chassis: settings, clocks, Kafka, PostgreSQL, HTTP. It knows no business noun."""
