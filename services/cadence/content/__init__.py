"""Content: what customers and owners read about a type of touchpoint, as files of the policy.

A file is `content/<language>/<touchpoint_type>.md` for the customer and `content/<language>/owner/<touchpoint_type>.md`
for the owner: front matter in YAML, a body in Markdown with placeholders of one typed registry.
"""

from services.cadence.content.mistakes import ContentRefused as ContentRefused
from services.cadence.content.mistakes import Mistake as Mistake
from services.cadence.content.names import DEFAULT_LANGUAGE as DEFAULT_LANGUAGE
from services.cadence.content.names import ContentName as ContentName
from services.cadence.content.names import fallback_languages as fallback_languages
from services.cadence.content.names import name_of as name_of
from services.cadence.content.parse import ContentFile as ContentFile
from services.cadence.content.parse import parse_content as parse_content
from services.cadence.content.render import Rendered as Rendered
from services.cadence.content.render import render_content as render_content
