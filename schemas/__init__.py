"""The published language: every message that crosses a service line, and nothing else."""
