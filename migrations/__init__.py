"""Schema histories, one per service. Revisions only add before a deploy and only remove after one."""
