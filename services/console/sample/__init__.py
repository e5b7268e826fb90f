"""The sample data: twelve plausible accounts, so that a first run has touchpoints that are due within seconds."""
