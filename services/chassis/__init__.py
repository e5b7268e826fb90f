"""The chassis: plumbing every service stands on (settings, clocks, Kafka, PostgreSQL, HTTP).

No business noun may enter: nothing here knows an account, a policy or a touchpoint.
"""
