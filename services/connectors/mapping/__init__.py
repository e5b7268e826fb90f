"""Mapping: from an item of another system to facts, by a file of JMESPath expressions that is checked when loaded."""
