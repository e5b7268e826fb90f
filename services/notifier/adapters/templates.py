"""Templates: Jinja2 in its sandbox, from the folder that ships with the service."""

from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from services.notifier.domain.message import Context

FOLDER = Path(__file__).resolve().parent.parent / "templates"


class Templates:
    """Renders a template by its file name; with `html` the values are escaped."""

    def __init__(self) -> None:
        self._text, self._html = (
            SandboxedEnvironment(
                loader=FileSystemLoader(FOLDER),
                undefined=StrictUndefined,
                autoescape=autoescape,
                trim_blocks=True,
                lstrip_blocks=True,
            )
            for autoescape in (False, True)
        )

    def __call__(self, template: str, context: Context, *, html: bool) -> str:
        return (self._html if html else self._text).get_template(template).render(context)
