"""The expression language of conditions: parse, type-check, compile, explain, format and analyse."""
