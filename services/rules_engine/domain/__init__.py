"""Values of the rules engine: the account record, incoming events and what a batch leads to."""
