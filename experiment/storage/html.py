"""Pages from the templates beside the modules: what is put into them is escaped, and nothing may be missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def fill_template(template: Path, filters: Mapping[str, Callable[..., Any]], **values: Any) -> str:
    """The page of a template with these filters and values."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(template.parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= filters
    return environment.get_template(template.name).render(**values)
