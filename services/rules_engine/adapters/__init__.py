"""What the rules engine stands on outside itself: rows, messages, policy files."""
