"""The policy library: account state, features, expressions, policy, evaluation, explanation, lint and policy tests.

Pure Python: importing it starts nothing, and it needs no Kafka, SQL, HTTP, clock or environment.
"""
