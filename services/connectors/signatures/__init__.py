"""Signatures of requests: one function for each scheme, each a pure check of raw bytes, headers and secrets."""
