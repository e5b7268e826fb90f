"""The file of addresses that `drumbeat run` writes, as a source of settings."""

import json
from pathlib import Path
from typing import Final, cast

from pydantic_settings import PydanticBaseSettingsSource

ADDRESSES_FILE: Final = "addresses.json"


class AddressesSource(PydanticBaseSettingsSource):
    """The source of lowest priority: the addresses of embedded parts that `drumbeat run` wrote."""

    def get_field_value(self, field: object, field_name: str) -> tuple[object, str, bool]:  # noqa: ARG002
        return None, field_name, False

    def __call__(self) -> dict[str, object]:
        data_dir = Path(str(self.current_state.get("data_dir", ".drumbeat")))
        try:
            document: object = json.loads((data_dir / ADDRESSES_FILE).read_bytes())
        except (OSError, ValueError):
            return {}
        values = cast("dict[str, object]", document) if isinstance(document, dict) else {}
        return {name: values[name] for name in ("kafka", "database", "clock", "email") if name in values}
