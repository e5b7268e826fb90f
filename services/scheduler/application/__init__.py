"""The scheduler's use cases: reconcile a calendar, release, settle, act, read."""
