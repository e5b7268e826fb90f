"""The rules: facts held against a policy.

Pure: no clock, no dice, no wire, no storage; each module reads only those below it.
"""
