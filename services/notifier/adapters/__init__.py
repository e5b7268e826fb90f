"""Implementations of the ports: PostgreSQL, templates, mail and webhooks."""
