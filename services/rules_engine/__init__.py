"""The rules engine: hears facts, believes them, judges accounts by policy, and commands the scheduler."""
