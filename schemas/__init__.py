"""The published messages: every message that one service sends to another or to the outside, and nothing else."""
