"""The vocabulary: the words a condition may read, and what they mean for an account at a moment."""
