"""What the engine's core asks of the outside: tables, messages, policy files."""
