"""Use cases: load, decide, record. They reach the outside through the ports."""
