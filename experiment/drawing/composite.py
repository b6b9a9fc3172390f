"""What is on the screen as one picture: background, parts and marker put together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiment.drawing.pictures import Pictures
from experiment.drawing.typeset import Colour
from experiment.record.events import Scene

Pixels = NDArray[np.uint8]


def compose_screen(pictures: Pictures, background: Colour, scene: Scene) -> Pixels:
    """What a participant sees of a scene, pixel by pixel (height, width, 3)."""
    pixels = np.empty((pictures.layout.height_px, pictures.layout.width_px, 3), np.uint8)
    pixels[:] = background
    for part in pictures.parts(scene):
        picture = part.picture
        _around(pixels, part.x_px, part.y_px, picture.pixels.shape[:2])[:] = picture.pixels
    if (place := pictures.marker_at(scene)) is not None:
        colours, alpha = pictures.marker[..., :3], pictures.marker[..., 3:] / 255
        below = _around(pixels, *place, alpha.shape[:2])
        below[:] = np.rint(colours * alpha + below * (1 - alpha))
    return pixels


def resize(pixels: Pixels, size_px: tuple[int, int]) -> Pixels:
    """The picture in another size, (width, height)."""
    if pixels.shape[1::-1] == size_px:
        return pixels
    from PIL import Image

    return np.asarray(Image.fromarray(pixels).resize(size_px, Image.Resampling.LANCZOS))


def _around(pixels: Pixels, x_px: int, y_px: int, shape: tuple[int, ...]) -> Any:
    """The rectangle about a place that counts from the middle, y up."""
    top = pixels.shape[0] // 2 - y_px - shape[0] // 2
    left = pixels.shape[1] // 2 + x_px - shape[1] // 2
    return pixels[top : top + shape[0], left : left + shape[1]]
