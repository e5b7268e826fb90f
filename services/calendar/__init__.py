"""The calendar library: when touchpoints are, and who leads them.

Working hours and holidays, times to avoid, recurrence, placing, reconciliation with a plan, levelling over people and
weeks. Pure: values and functions without clock, randomness or I/O; importing it starts nothing.
"""
