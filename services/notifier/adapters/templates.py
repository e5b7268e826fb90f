"""Templates: Jinja2 in its sandbox, from the folder that ships with the service."""

from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from services.notifier.domain.message import Context

FOLDER = Path(__file__).resolve().parent.parent / "templates"


class Templates:
    """Renders a template by its file name; only `.html` ones escape what is put in."""

    def __init__(self, folder: Path = FOLDER) -> None:
        loader = FileSystemLoader(folder)
        self._plain = SandboxedEnvironment(
            loader=loader,
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._html = SandboxedEnvironment(
            loader=loader, undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
        )

    def __call__(self, template: str, context: Context, *, html: bool) -> str:
        return (self._html if html else self._plain).get_template(template).render(context)
