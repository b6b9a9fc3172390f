"""Colours as the protocol writes them, #RRGGBB, and how well one is seen on another."""

from __future__ import annotations

Rgb = tuple[int, int, int]
_LINEAR_UP_TO = 0.04045  # IEC 61966-2-1, of the darkest colours


def rgb(colour: str) -> Rgb:
    """Red, green and blue from 0 to 255 of #RRGGBB."""
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 (the same) to 21 (black on white), by WCAG 2.2."""
    dark, light = sorted((_luminance(rgb(one)), _luminance(rgb(other))))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Rgb) -> float:
    """Relative luminance of sRGB, from 0 to 1."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return share / 12.92 if share <= _LINEAR_UP_TO else float(((share + 0.055) / 1.055) ** 2.4)
