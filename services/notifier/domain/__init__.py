"""Pure decisions of the notifier: who gets a message, what it says, when to retry, what is final."""
