"""The doors: a message, a request, the clock. None of them decides anything."""
