"""The supervisor: `drumbeat run` starts the embedded parts and the services, watches them, stops them."""
