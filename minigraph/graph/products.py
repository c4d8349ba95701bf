"""Sums of products, with axes that have letters."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters
from typing import Any

import numpy as np

from ..core.indexing import getitem
from ..core.node import Node
from ..core.operation import EachInput
from ..core.stating import variadic
from ..core.table import broadcast_to, reshaped, transpose
from ..errors import NodeTypeError, ShapeError
from ..errors.shapes import Shape, axis_numbers
from ..errors.words import describe


def labelled(subscripts: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    """Spell out einsum's subscripts: the axes of each operand and of the result, as letters."""
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ShapeError(f"{subscripts!r} names {len(terms)} operands, not {len(ndims)}")
    if not arrow:
        once = sorted(c for c in {*left} - {*".,"} if left.count(c) == 1)
        result = "..." * ("..." in left) + "".join(once)
    spare = "".join(c for c in ascii_letters if c not in subscripts)
    rest = [n - len(term.replace("...", "")) for n, term in zip(ndims, terms)]
    for term, n, more in zip(terms, ndims, rest):
        if more < 0 or (more and "..." not in term):
            raise ShapeError(f"{term!r} does not name the {n} axes of its operand")
    dots = np.max(rest, initial=0)
    spelled = [t.replace("...", spare[dots - more : dots]) for t, more in zip(terms, rest)]
    return spelled, result.replace("...", spare[:dots])


def diagonal_of(x: Any, axis1: int, axis2: int) -> Any:
    """The elements whose indices along two axes are equal, as a new last axis."""
    i, j = axis_numbers(len(x.shape), (axis1, axis2))
    others = [k for k in range(len(x.shape)) if k not in (i, j)]
    steps = np.arange(np.minimum(x.shape[i], x.shape[j]))
    return getitem(transpose(x, (*others, i, j)), (..., steps, steps))


def _einsum_called(subscripts: str, *operands: Any) -> tuple[tuple, dict]:
    if not isinstance(subscripts, str) or not operands:
        instead = describe(subscripts) if isinstance(subscripts, Node) else repr(subscripts)
        raise NodeTypeError(
            'einsum takes a text first, and then the arrays, as in einsum("ij,jk->ik", x, y); '
            f"not {instead:.80}"
        )
    operands = tuple(x if isinstance(x, Node) else np.asarray(x) for x in operands)
    terms, result = labelled(subscripts, [len(x.shape) for x in operands])
    inputs = []
    for i, (x, term) in enumerate(zip(operands, terms)):
        while twice := [c for c in term if term.count(c) > 1]:
            first, second = [k for k, c in enumerate(term) if c == twice[0]][:2]
            if x.shape[first] != x.shape[second]:
                sizes = f"{x.shape[first]} and {x.shape[second]}"
                raise ShapeError(f"{twice[0]!r} has sizes {sizes} in one operand of {subscripts!r}")
            x = diagonal_of(x, first, second)
            term = term[:first] + term[first + 1 : second] + term[second + 1 :] + twice[0]
        terms[i] = term
        inputs.append(x)
    return tuple(inputs), {"subscripts": f"{','.join(terms)}->{result}"}


def _einsum_rule(i: int, g: Any, out: Any, inputs: Sequence[Any], subscripts: str) -> Any:
    *terms, result = subscripts.replace("->", ",").split(",")
    others = [k for k in range(len(terms)) if k != i]
    known = {*result}.union(*(terms[k] for k in others))
    kept = "".join(c for c in terms[i] if c in known)
    text = ",".join([result, *(terms[k] for k in others)]) + "->" + kept
    share = einsum(text, g, *(inputs[k] for k in others))
    # Axes that only this input has, or has alone with a size above 1, were summed over: each
    # element gets the same share.
    sizes = iter(share.shape)
    shape = tuple(next(sizes) if c in known else 1 for c in terms[i])
    wide = tuple(m if n == 1 else n for n, m in zip(shape, inputs[i].shape))
    return share if share.shape == wide else broadcast_to(reshaped(share, shape), wide)


def _einsum_jvp(tangents: Any, out: Any, *inputs: Any, subscripts: str) -> Any:
    changes = [
        einsum(subscripts, *inputs[:i], dx, *inputs[i + 1 :])
        for i, dx in enumerate(tangents)
        if dx is not None
    ]
    total = changes[0]
    for change in changes[1:]:
        total = total + change
    return total


def _einsum_shape(*shapes: Shape, subscripts: str) -> Shape:
    *terms, result = subscripts.replace("->", ",").split(",")
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes):
        for label, n in zip(term, shape):
            if n != 1 and sizes.get(label, 1) not in (1, n):
                raise ValueError(f"{label!r} has sizes {sizes[label]} and {n} in {subscripts!r}")
            sizes[label] = n if n != 1 else sizes.get(label, 1)
    if unknown := {*result} - sizes.keys():
        raise ValueError(f"no operand has the axis {'and '.join(unknown)} of {subscripts!r}")
    return tuple(sizes[label] for label in result)


@variadic(
    "einsum",
    EachInput(_einsum_rule),
    jvp=_einsum_jvp,
    shape=_einsum_shape,
    called=_einsum_called,
)
def einsum(*operands: Any, subscripts: str) -> Any:
    """The products of elements summed as `subscripts` say: einsum("ij,jk->ik", x, y) is x @ y."""
    if len(operands) == 1:
        return np.einsum(subscripts, *operands)
    # In pairs, which is faster, and only then in the dtype of the result: an operand of its own
    # dtype, summed over an axis that no other has, could not hold its sums.
    dtype = np.result_type(*operands)
    wide = np.float32 if dtype == np.float16 else dtype
    sums = np.einsum(subscripts, *[np.asarray(x, wide) for x in operands], optimize=True)
    return sums.astype(dtype, copy=False)
