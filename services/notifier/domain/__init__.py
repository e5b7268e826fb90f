"""Pure decisions of the notifier: who is told, what they read, when to try again, what is final."""
