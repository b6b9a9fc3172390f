"""Pages from the templates beside the modules: what is put into them is escaped, and nothing may be missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def fill_template(template: Path, filters: Mapping[str, Callable[..., Any]], **values: Any) -> str:
    """The page of a template with these filters and values."""
    environment = _environment(template.parent)
    environment.filters |= filters
    return environment.get_template(template.name).render(**values)


@cache
def _environment(folder: Path) -> Environment:
    """The templates of a folder, each compiled once: a page for every request is quick only so."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
