"""The scheduler: keeps the calendars of accounts and releases touchpoints when they are due."""
