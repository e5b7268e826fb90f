"""The word language of conditions: text to a tree whose types, nulls and ranges have been checked."""
