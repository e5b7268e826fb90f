"""What the scheduler does, told with ports: accept a plan, release, settle, act, answer."""
