"""One file per channel. The only rooms from which the notifier speaks to the outside."""
