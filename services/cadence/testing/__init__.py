"""Policy tests: files of cases beside a policy, and the runner that evaluates them."""
