"""Simulations of a whole book over the days to come, pure: the functions that are live, applied look by look."""
