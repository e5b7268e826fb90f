"""Tables of other tools (CSV) as events of Drumbeat, and what Drumbeat knows as tables: pure, row by row."""
