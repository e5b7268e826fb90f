"""What the scheduler alone needs of touchpoints: pure values and functions, without clock, randomness or I/O."""
