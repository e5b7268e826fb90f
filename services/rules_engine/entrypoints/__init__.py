"""The doors of the rules engine: messages, requests, the clock. No decision is made in a door."""
