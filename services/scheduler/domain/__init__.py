"""The calendar's own language: pure, bottom-up, without clock, dice, files or wire."""
