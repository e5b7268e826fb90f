"""Use cases of the rules engine: load, decide, record. Nothing here knows a message format or a table."""
