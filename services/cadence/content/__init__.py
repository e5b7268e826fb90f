"""Content: what customers and owners read about a type of touchpoint, as files of the policy.

A file is `content/<language>/<touchpoint_type>.md` for the customer and `content/<language>/owner/<touchpoint_type>.md`
for the owner: front matter in YAML, a body in Markdown with placeholders of one typed registry.
"""
