"""The calendar's domain: pure values and functions, without clock, randomness, files or I/O."""
