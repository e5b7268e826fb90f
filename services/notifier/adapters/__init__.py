"""Where the notifier's values meet PostgreSQL, templates and the outside world."""
