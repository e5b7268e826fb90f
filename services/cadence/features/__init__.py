"""Features: the values that conditions of a policy read, and how they are computed for an account at a moment."""
