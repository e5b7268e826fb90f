"""The console: the operator's pages and the `drumbeat` command, both clients of the three HTTP APIs."""
