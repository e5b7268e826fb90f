"""Who knocks: messages, the clock, and people over HTTP."""
