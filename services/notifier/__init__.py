"""The notifier carries the word to customers, CSMs and their tools, and reports what became of it."""
