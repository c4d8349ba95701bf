"""A training bench as a still picture, for pages that run nothing: plane, losses and network."""

from __future__ import annotations

import base64
import struct
import zlib
from html import escape
from typing import Any

import numpy as np

from ..drawing import theme
from ..drawing.drawing import as_image
from .bench_training import SIDE, Training

_WIDTH, _HEIGHT = 760, 340
_PLANE = (20, 40, 280)  # left, top, side
_FALL = (372, 40, 368, 110)  # left, top, width, height
_NET = (372, 206, 368, 114)
_STRONGEST = 150  # of 255, the colour of a place where the network is sure


def still(training: Training, sentence: str) -> str:
    """The bench at the step where it is, with its sentence."""
    alt = (
        "A training bench: points of two classes, what the network says of the plane, its losses, "
        f"its weights. {sentence}"
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}"'
        f' viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" font-family="{theme.FONTS}">'
        f"<title>{escape(alt)}</title>{theme.dark_style('auto')}"
        f'<rect width="100%" height="100%" rx="10"{theme.paint("auto", "ground")}/>'
        f"{_plane(training)}{_fall(training)}{_network(training)}</svg>"
    )
    words = f"{escape(sentence)} Run this cell to train."
    return f"{as_image(svg, alt, _WIDTH, _HEIGHT)}<p>{words}</p>"


def _plane(training: Training) -> str:
    """What the network says of each place, and the points."""
    left, top, side = _PLANE
    x, y, half = training.extent()
    made = [
        _text(left, top - 14, "● class 0, × class 1"),
        f'<image x="{left}" y="{top}" width="{side}" height="{side}" preserveAspectRatio="none"'
        f' href="data:image/png;base64,{_png(training.sure())}"/>',
        f'<rect x="{left}" y="{top}" width="{side}" height="{side}" stroke-width="1"'
        f"{theme.paint('auto', 'none', 'line')}/>",
    ]
    for part in filter(None, (training.train, training.test)):
        opacity = 1.0 if part is training.train else 0.45
        for (px, py), label in zip(part.x, part.y):
            across = round(left + side * (0.5 + (px - x) / half / 2), 1)
            down = round(top + side * (0.5 - (py - y) / half / 2), 1)
            role = ("value", "gradient")[int(label)]
            if label:
                made.append(
                    f'<path d="M{across - 2.6:.1f} {down - 2.6:.1f}l5.2 5.2m0 -5.2l-5.2 5.2"'
                    f' stroke-width="1.6" opacity="{opacity}"{theme.paint("auto", "none", role)}/>'
                )
            else:
                made.append(
                    f'<circle cx="{across}" cy="{down}" r="2.6" opacity="{opacity}"'
                    f"{theme.paint('auto', role)}/>"
                )
    return "".join(made)


def _png(sure: np.ndarray) -> str:
    """Places as a picture of two colours, the less of them the less sure."""
    pair = theme.LIGHT.value, theme.LIGHT.gradient
    colours = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in pair])
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    share = sure.reshape(SIDE, SIDE)
    pixels[..., :3] = colours[(share > 0.5).astype(int)]
    pixels[..., 3] = (np.abs(share - 0.5) * 2 * _STRONGEST).astype(int)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 6, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


def _fall(training: Training) -> str:
    """The two losses over the steps, by decades."""
    left, top, wide, high = _FALL
    made = [_text(left, top - 14, "loss: ―― training, ‐ ‐ test")]
    made.append(
        f'<path d="M{left} {top}v{high}h{wide}" stroke-width="1.2"'
        f"{theme.paint('auto', 'none', 'edge')}/>"
    )
    rows = np.array(training.curve() if training.train else [(0, 1.0, 1.0)])
    losses = np.log10(np.clip(np.nan_to_num(rows[:, 1:], nan=1.0, posinf=1e6), 1e-4, 1e6))
    low, high_est = np.floor(losses.min()), max(np.ceil(losses.max()), np.floor(losses.min()) + 1)
    last = max(rows[-1, 0], 1)
    for decade in np.arange(low, high_est + 1):
        y = top + high * (1 - (decade - low) / (high_est - low))
        made.append(_text(left - 6, y + 4, f"{10.0**decade:g}", "end"))
    for column, (role, dash) in enumerate((("value", ""), ("gradient", "5 4"))):
        known = ~np.isnan(rows[:, column + 1])
        if known.any():
            points = [
                f"{left + wide * step / last:.1f} "
                f"{top + high * (1 - (loss - low) / (high_est - low)):.1f}"
                for step, loss in zip(rows[known, 0], losses[known, column])
            ]
            made.append(
                f'<path d="M{"L".join(points)}" stroke-width="2" stroke-dasharray="{dash}"'
                f' stroke-linejoin="round"{theme.paint("auto", "none", role)}/>'
            )
    made.append(_text(left + wide, top + high + 18, f"step {int(rows[-1, 0]):,}", "end"))
    return "".join(made)


def _network(training: Training) -> str:
    """The weights on the edges: the thicker the larger; dashed where they are below 0."""
    layers = training.linears
    if not layers:
        return ""
    left, top, wide, high = _NET
    sizes = [layers[0].in_features, *(layer.out_features for layer in layers)]
    places = [
        [(left + wide * i / (len(sizes) - 1), top + high * (j + 0.5) / size) for j in range(size)]
        for i, size in enumerate(sizes)
    ]
    made = [_text(left, top - 10, "weights: ―― above 0, ‐ ‐ below")]
    for i, layer in enumerate(layers):
        weight = np.nan_to_num(np.asarray(layer.weight.value))
        most = max(float(np.abs(weight).max()), 1e-9)
        for (j, k), w in np.ndenumerate(weight):
            (x1, y1), (x2, y2) = places[i][k], places[i + 1][j]
            role, dash = ("gradient", "") if w >= 0 else ("value", "4 3")
            made.append(
                f'<path d="M{x1:.0f} {y1:.1f}L{x2:.0f} {y2:.1f}" stroke-dasharray="{dash}"'
                f' stroke-width="{0.4 + 3.2 * abs(w) / most:.1f}"'
                f"{theme.paint('auto', 'none', role)}/>"
            )
    made += [
        f'<circle cx="{x:.0f}" cy="{y:.1f}" r="5" stroke-width="1.2"'
        f"{theme.paint('auto', 'card', 'edge')}/>"
        for layer in places
        for x, y in layer
    ]
    return "".join(made)


def _text(x: float, y: float, text: Any, anchor: str = "start") -> str:
    paint = theme.paint("auto", "soft")
    return f'<text x="{x}" y="{y:.1f}" font-size="13" text-anchor="{anchor}"{paint}>{text}</text>'
