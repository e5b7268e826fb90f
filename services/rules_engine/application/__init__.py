"""What the rules engine does with what it hears: load, decide, record. Nothing here knows a wire or a table."""
