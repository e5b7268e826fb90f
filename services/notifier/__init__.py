"""The notifier delivers messages to customers, CSMs and their tools, and reports the state of each delivery."""
