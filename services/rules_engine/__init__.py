"""The rules engine hears facts, believes them, judges them by the policy and states each account's plan."""
