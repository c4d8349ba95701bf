"""Pictures beside each other where there is room, else below each other, on one screen in all."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .drawing import HIGHEST, NARROWEST, SMALLEST, Image, as_image

_CAPTION = 28  # pixels that a caption takes above its picture
_ACROSS, _DOWN = 24, 8  # pixels between two pictures


def beside(images: Sequence[Image], captions: Sequence[str] = (), taken: float = 0.0) -> str:
    """Write pictures of one scale: in a row if they are no smaller there than in a column.

    A column is as high as one picture may be. A row shrinks with the page, down to the scale of the
    column; what is wider than the page shrinks alone. Pictures too large to be read in a column
    stay in the row, each in a frame that scrolls.

    Args:
        images: the pictures.
        captions: what stands above each of them, or nothing.
        taken: pixels of their height that something else needs.
    """
    heads = [
        f'<figcaption style="font-weight:600;padding:4px 0">{escape(caption)}</figcaption>'
        for caption in captions
    ] or [""] * len(images)
    head, gaps = _CAPTION if captions else 0, len(images) - 1
    wide, high = sum(x.width for x in images), HIGHEST - taken - head
    in_column = min(1.0, (high - gaps * (_DOWN + head)) / sum(x.height for x in images))
    in_row = max(SMALLEST, min(1.0, high / max(x.height for x in images)))
    is_small = in_column < SMALLEST
    least = max(SMALLEST, in_column)
    turns = gaps * _ACROSS + wide * least  # a page as wide shows a row that is about to break

    def figure(image: Image, head: str) -> str:
        row, column = image.width * in_row, image.width * least
        most, room = f"{row:.0f}px", (NARROWEST - gaps * _ACROSS) * image.width / wide
        if not is_small:  # 100% are the page: less than it takes to turn leaves the column's width
            most = f"min({most},max({column:.0f}px,(100% - {turns:.0f}px)*999))"
            room = NARROWEST
        return (
            f'<figure style="flex:{image.width:.0f} 1 {column:.0f}px;margin:0;min-width:0;'
            f'max-width:{most}">{head}{as_image(*image, highest=high, room=room)}</figure>'
        )

    shown = "".join(map(figure, images, heads))
    wrap = "nowrap" if is_small else "wrap"
    return (
        f'<div style="align-items:flex-start;display:flex;flex-wrap:{wrap};'
        f'gap:{_DOWN}px {_ACROSS}px">{shown}</div>'
    )
