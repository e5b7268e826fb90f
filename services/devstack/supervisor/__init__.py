"""The supervisor of `make run`: starts the embedded parts and the services, and keeps them running."""
