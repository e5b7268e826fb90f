"""Connectors: what other systems send, verified and mapped to facts.

Pure: no Kafka, SQL, HTTP, clock or environment. `signatures` proves who sent a request, `sources` splits its body into
items, `mapping` makes facts of an item by a mapping file; `tables` reads and writes spreadsheets (CSV). The services hand
in bytes, headers and the present moment.
"""
