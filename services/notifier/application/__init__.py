"""Use cases: load, decide, record. They speak to the world through the ports."""
