"""Sources: how the body of a request falls into items, for systems whose items are no plain JSON objects."""
