"""Lesson 07: shapes, and the gradients of operations on arrays."""

from random import Random
from typing import Any

import numpy as np

from ...autodiff.derivatives import grad
from ...autodiff.jacobian import jacobian
from ...core.node import Node
from ...core.table import unbroadcast as unbroadcast_
from ..arrays import MISFIT, Arrays, Shapes, as_python, locked
from ..forms import Case
from ..specification import exercise

LESSON = "07_tensors"

Array = np.ndarray
Shape = tuple[int, ...]


ENGINE = (Node.backward, grad, jacobian, unbroadcast_)  # what does the work of these exercises


def numbers(rng: Random, *shape: int) -> Any:
    """Nested lists of halves, none of them 0 or 1, so that nothing is hidden by a neutral number."""
    if not shape:
        return rng.choice([-2.5, -1.5, -0.5, 1.5, 2.0, 2.5, 3.0, 3.5])
    return [numbers(rng, *shape[1:]) for _ in range(shape[0])]


# --- predict shapes -------------------------------------------------------------------------------

GIVEN = {"a": [3, 1], "b": [4], "c": [2, 3, 4], "d": [4, 2]}


def _blank(shapes: dict[str, Any]) -> list[Array]:
    return [np.zeros(shape) for shape in shapes.values()]


@exercise(points=1, value_of=(GIVEN,), answer=Shapes())
def predict_shapes(shapes: dict[str, Any]) -> dict[str, Any]:
    """Predict shapes

    Four arrays have these shapes: $a$ has $(3, 1)$, $b$ has $(4,)$, $c$ has $(2, 3, 4)$ and $d$ has
    $(4, 2)$.

    Which shapes have the results below? Write tuples, a single axis as `(5,)`, and `"error"` where
    two shapes do not fit. The last line asks for the shape of the gradient of $b$, after a backward
    pass through $a + b$.

    First step: Take one result after the other. For a + b write (3, 1) and (4,) below each other,
    with the last axes in line. Then replace the dots, with "error" where two shapes do not fit.
    Hint: Write the two shapes below each other, aligned at the right. For + and * each column must
    hold equal numbers, or a 1.
    Hint: Write c @ d as (2 | 3 × 4) and (4 × 2), where the two inner numbers must be equal. A
    reduction removes its axis. An index list of three rows gives three rows. A gradient has the
    shape of what it is the gradient of.
    Hint: With p of shape (5, 1), q (1, 6) and r (2, 6, 3): p + q is (5, 6), q @ r is (2, 1, 3),
    sum(r, axis=0) is (6, 3), p[[4, 4]] is (2, 1), p + r is "error" as 5 meets 6, and the gradient
    of q is (1, 6).
    Verified: all shapes are those that NumPy gives.
    """
    a, b, c, d = _blank(shapes)
    return {
        "a + b": (a + b).shape,
        "a * c": (a * c).shape,
        "c + d": MISFIT,
        "c @ d": (c @ d).shape,
        "mean(c, axis=1)": c.mean(axis=1).shape,
        "d[[3, 0, 3]]": d[[3, 0, 3]].shape,
        "gradient of b": b.shape,
    }


predict_shapes.slip(
    "aligned at the left",
    """You aligned the shapes at their first axes. NumPy writes them below each other so that the
    last axes meet, and fills up with 1 on the left.""",
    ("(a + b).shape", "MISFIT", "(a * c).shape", "MISFIT"),
    ("(a * c).shape", "MISFIT"),
    ("(a + b).shape", "MISFIT"),
)
predict_shapes.slip(
    "gradient of the result's shape",
    """b was stretched to (3, 4) on its way forward. But its gradient says for each element of b
    what a nudge of that element does, so there are as many numbers as in b.""",
    ("b.shape", "(3, 4)"),
    ("b.shape", "(2, 3, 4)"),
)
predict_shapes.slip(
    "everything can be stretched",
    """Only an axis of size 1, or one that is missing, can be stretched. In c + d the last axes have
    sizes 4 and 2.""",
    ('"c + d": MISFIT', '"c + d": (2, 3, 4)'),
    ('"c + d": MISFIT', '"c + d": (2, 4, 2)'),
    ('"c + d": MISFIT', '"c + d": (2, 4, 4)'),
)
predict_shapes.slip(
    "matmul taken for an elementwise product",
    """@ does not pair up elements. The last axis of c and the last but one of d, both 4, are
    multiplied and summed, and go. Rows of c and columns of d stay.""",
    ("(c @ d).shape", "MISFIT"),
    ("(c @ d).shape", "(2, 3, 4)"),
)
predict_shapes.slip(
    "stack forgotten",
    """c is a stack of two matrices. Each of them is multiplied with d, so the result is a stack of
    two as well.""",
    ("(c @ d).shape", "(3, 2)"),
)
predict_shapes.slip(
    "the axis that stays",
    "`axis=1` names the axis that is averaged, and that goes. The others stay.",
    ("c.mean(axis=1).shape", "(3,)"),
)
predict_shapes.slip(
    "axes counted from 1",
    "Axes are counted from 0. Axis 1 of a shape (2, 3, 4) is the one of size 3.",
    ("c.mean(axis=1).shape", "(3, 4)"),
)
predict_shapes.slip(
    "axis kept",
    "Without `keepdims=True` the axis that was averaged is gone from the shape.",
    ("c.mean(axis=1).shape", "(2, 1, 4)"),
)
predict_shapes.slip(
    "index shortens only",
    """An index list may name a row several times, and in any order. The result has one row for each
    entry of the list, and the rows keep their length.""",
    ("d[[3, 0, 3]].shape", "(2, 2)"),
    ("d[[3, 0, 3]].shape", "(3,)"),
    ("d[[3, 0, 3]].shape", "(4, 2)"),
    ("d[[3, 0, 3]].shape", "(2,)"),
)


# --- unbroadcast ----------------------------------------------------------------------------------


def _axes(g: Array, shape: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes that broadcasting added, and those that it stretched, as axes of g."""
    new = g.ndim - len(shape)
    return tuple(range(new)), tuple(i + new for i, n in enumerate(shape) if n == 1)


def _first_copy(g: Array, shape: Shape) -> Array:
    new, stretched = _axes(g, shape)
    for axis in new + stretched:
        g = g.take([0], axis=axis)
    return g.reshape(shape)


def stretched_shapes(rng: Random) -> list[Case]:
    """A gradient, and the shape from which something was stretched to the gradient's shape.

    In squares and cubes the wrong axis fits, too.
    """
    fixed: list[tuple[Shape, Shape]] = [
        ((2, 3), (3,)),
        ((2, 3), (2, 1)),
        ((2, 3), (2, 3)),
        ((2, 3), ()),
        ((1, 3), (3,)),
        ((3, 3), (3, 1)),
        ((2, 3, 4), (3, 1)),
        ((2, 3, 4), (1, 4)),
        ((3, 3), (1, 3)),
        ((3, 3), (3,)),
        ((3, 3), (1, 1)),
        ((3, 3, 3), (3, 1, 3)),
        ((3, 3, 3), (3,)),
        ((2, 1, 3), (1, 3)),
        ((4,), (1,)),
        ((4,), ()),
        ((), ()),
        ((2, 2, 3, 2), (2, 1, 2)),
        ((2, 3, 2, 2, 2), (1, 2, 1)),
        ((3, 3), (3, 1)),
    ]
    pairs = list(fixed)
    for _ in range(16):
        wide = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 3)))
        narrow = tuple(n if rng.random() < 0.5 else 1 for n in wide)
        pairs.append((wide, narrow[rng.randint(0, len(narrow)) :]))
    return [(numbers(rng, *wide), list(narrow)) for wide, narrow in pairs]


@exercise(
    points=3,
    cases=stretched_shapes,
    as_arguments=lambda g, shape: (locked(g), tuple(shape)),
    answer=Arrays("an array of the given shape"),
    code=lambda g, shape: as_python(g=np.asarray(g), shape=tuple(shape)),
    instead_of=ENGINE,
)
def unbroadcast(g: Array, shape: Shape) -> Array:
    """Undo broadcasting

    An array was stretched by broadcasting, perhaps. The backward pass has arrived with `g`, a
    gradient of the stretched shape. Write a function that gets `g` and the `shape` that the array
    had before, and returns the gradient of the array itself.

    It should work for every shape that can be stretched to the shape of `g`, `()` included. This
    one function serves all elementwise operations of an engine.

    First step: Write the shape of g and `shape` below each other, aligned at the right. Which axes
    were added, and which stretched? Begin with the added ones: how many are there, and where?
    Hint: Compare `g.shape` with `shape` from the right. Wherever they differ, several numbers of g
    belong to one element.
    Hint: Two steps. First the axes that `shape` does not have, until the two have equally many.
    Then those that it has with size 1, which have to stay; see `keepdims=True`.
    Hint: For g of shape (5, 2, 3) and shape (2, 1): the axis of size 5 was added, so
        g = g.sum(axis=0)
    has shape (2, 3). The last axis was stretched from 1 to 3, so
        g = g.sum(axis=1, keepdims=True)
    has shape (2, 1), as asked for. Your function has to find these axes.
    Another way: All axes in one sum:
        def unbroadcast(g, shape):
            new = g.ndim - len(shape)
            stretched = [new + i for i, size in enumerate(shape) if size == 1]
            return g.sum(axis=(*range(new), *stretched)).reshape(shape)
    NumPy goes through the array once. The reshape only puts back the axes of size 1.
    Verified: shape and numbers agree for {cases} gradients.
    """
    new, stretched = _axes(g, shape)
    return g.sum(axis=new + stretched, keepdims=True).reshape(shape)


unbroadcast.slip(
    "no sum",
    """You return g as it is. It has a number for each stretched copy; asked for is a number for
    each element. What does an element get that was used several times?""",
    ("g.sum(axis=new + stretched, keepdims=True).reshape(shape)", "g"),
)
unbroadcast.slip(
    "reshaped instead of summed",
    """A reshape only arranges the same numbers in another way. Here several numbers have to become
    one.""",
    ("g.sum(axis=new + stretched, keepdims=True)", "g"),
)
unbroadcast.slip(
    "one copy only",
    """You keep what came back to one of the copies, and drop the others. All copies are the same
    element, so what comes back to them adds up.""",
    _first_copy,
    lambda g, shape: np.resize(g, shape),
)
unbroadcast.slip(
    "mean instead of sum",
    """You take the mean over the copies. A nudge of the element moves all of its copies, each by
    the whole nudge, so their effects add up.""",
    ("g.sum", "g.mean"),
)
unbroadcast.slip(
    "only the axes that were added",
    """You sum over the axes that the array did not have. Were those the only ones along which there
    are copies now?""",
    ("new + stretched, keepdims=True).reshape(shape)", "new)"),
)
unbroadcast.slip(
    "only the axes of size 1",
    """You sum over the axes that had size 1. Axes that the array did not have at all, on the left,
    were added by broadcasting, and have to be summed away too.""",
    ("new + stretched, keepdims=True).reshape(shape)", "stretched, keepdims=True)"),
)
unbroadcast.slip(
    "axes of size 1 lost",
    """Your numbers are right, but not their shape. A sum removes its axis. Was each of the axes
    over which you sum missing in the array?""",
    ("new + stretched, keepdims=True).reshape(shape)", "new + stretched)"),
)
unbroadcast.slip(
    "summed over everything",
    """You add up all of g. Only the copies of one element belong together. Which axes run along the
    copies?""",
    ("g.sum(axis=new + stretched, keepdims=True).reshape(shape)", "np.full(shape, g.sum())"),
)


@unbroadcast.misconception("aligned at the left")
def _from_the_left(g: Array, shape: Shape) -> Array:
    """You aligned the two shapes at their first axes. Broadcasting aligns them at the last, so the
    axes that were added are the first ones of g.
    """
    ones = tuple(i for i, n in enumerate(shape) if n == 1)
    extra = tuple(range(len(shape), g.ndim))
    return g.sum(axis=ones, keepdims=True).sum(axis=extra)


# --- matmul ---------------------------------------------------------------------------------------


def factors(rng: Random) -> list[Case]:
    """A gradient and two matrices: none of them square, then square ones, which hide a shape error."""
    sizes = [(2, 3, 4), (2, 2, 2), (1, 3, 2), (3, 2, 1), (1, 1, 1), (2, 1, 3), (3, 3, 3), (1, 4, 1)]
    sizes += [(2, 5, 7), (2, 3, 4)]
    sizes += [(rng.randint(1, 4), rng.randint(1, 4), rng.randint(1, 4)) for _ in range(12)]
    return [(numbers(rng, n, m), numbers(rng, n, k), numbers(rng, k, m)) for n, k, m in sizes]


@exercise(
    points=2,
    cases=factors,
    as_arguments=lambda *case: tuple(map(locked, case)),
    answer=Arrays(
        "two arrays, the gradient of x and the gradient of y",
        ("the gradient of x", "the gradient of y"),
    ),
    code=lambda g, x, y: as_python(g=g, x=x, y=y),
    instead_of=ENGINE,
)
def matmul_vjp(g: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """The two rules of matmul

    `x` and `y` are matrices, and `g` is the gradient of `x @ y`. Return two arrays, the gradient of
    `x` and the gradient of `y`.

    First step: With x of shape (n, k) and y of shape (k, m), g has shape (n, m). The gradient of x
    must have shape (n, k). Which product of g and y, or its transpose, gives that?
    Hint: Write the shapes (n, m), (n, k) and (k, m) on paper. There is only one way to make (n, k)
    out of g and y with one @ and one transpose.
    Hint: An (n, m) matrix times an (m, k) matrix is (n, k). You have g, which is (n, m). How do you
    make something (m, k) of y? For y it goes the same way round.
    Hint: For one row: z = [p, q] @ y with y of shape (2, 3), and g = [u, v, w]. p is used three
    times, with y[0, 0], y[0, 1] and y[0, 2], so its gradient is u·y[0, 0] + v·y[0, 1] + w·y[0, 2].
    That is g times row 0 of y, summed: one element of a product of g with y turned round.
    Another way: Name the axes, and leave the transposing to NumPy:
        def matmul_vjp(g, x, y):
            return np.einsum("nm,km->nk", g, y), np.einsum("nk,nm->km", x, g)
    The forward pass is nk,km->nm. For a rule, g changes places with the input that is asked for.
    Verified: both gradients agree for {cases} pairs of matrices.
    """
    return (g @ y.T, x.T @ g)


matmul_vjp.slip(
    "no transpose",
    """The gradient of x needs one number for each element of x. Write the shapes below your
    product: something has to be turned round before they fit.""",
    ("y.T, x.T", "y, x"),
)
matmul_vjp.slip(
    "wrong factor transposed",
    """You transposed g. It stays as it is: its rows belong to the rows of x, and its columns to the
    columns of y. It is the other factor that has to be turned round.""",
    ("g @ y.T, x.T @ g", "g.T @ y, x @ g.T"),
    ("g @ y.T, x.T @ g", "y @ g.T, g.T @ x"),
)
matmul_vjp.slip(
    "order of the factors",
    """The order of a matrix product matters. The gradient of x has the rows of g, so g stands first
    there; the gradient of y has the columns of g, so g stands last.""",
    ("g @ y.T, x.T @ g", "y.T @ g, g @ x.T"),
)
matmul_vjp.slip(
    "gradients swapped",
    "Both gradients are right, and in the wrong order: first the one of x, then the one of y.",
    ("g @ y.T, x.T @ g", "x.T @ g, g @ y.T"),
)
matmul_vjp.slip(
    "multiplied like numbers",
    """That is the rule of the elementwise product, x · y. In x @ y each element of x meets several
    elements of y, and what comes back from all of them adds up.""",
    ("@ y.T, x.T @ g", "* y, g * x"),
)
matmul_vjp.slip(
    "upstream gradient left out",
    """You have the local derivative alone. The gradient g that comes from above is not 1; it says
    how much each element of x @ y matters.""",
    ("g @ y.T, x.T @ g", "np.ones_like(g) @ y.T, x.T @ np.ones_like(g)"),
)


# --- mean -----------------------------------------------------------------------------------------

Axis = int | None


def _count(x: Array, axis: Axis) -> int:
    return x.size if axis is None else x.shape[axis]


def _stretched(g: Array, x: Array, axis: Axis) -> Array:
    return np.broadcast_to(g if axis is None else np.expand_dims(g, axis), x.shape)


def means(rng: Random) -> list[Case]:
    """A gradient, an array and an axis: each axis from both ends, squares, all, and random ones."""
    fixed: list[tuple[Shape, Axis]] = [
        ((2, 3), 1),
        ((2, 3), 0),
        ((3, 3), 1),
        ((2, 3), None),
        ((4,), 0),
        ((2, 3, 4), 1),
        ((2, 3), -1),
        ((2, 3), -2),
        ((3, 3), 0),
        ((3, 3), -2),
        ((2, 3, 4), 0),
        ((2, 3, 4), 2),
        ((2, 3, 4), -2),
        ((2, 3, 4), None),
        ((3, 3, 3), 1),
        ((4,), None),
        ((4,), -1),
        ((2, 1), 1),
        ((1, 3), 0),
        ((1,), 0),
        ((2, 3), 1),
    ]
    chosen = list(fixed)
    for _ in range(10):
        shape = tuple(rng.randint(2, 4) for _ in range(rng.randint(1, 3)))
        chosen.append((shape, rng.choice([None, *range(len(shape))])))
    return [(numbers(rng, *_reduced(s, axis)), numbers(rng, *s), axis) for s, axis in chosen]


def _reduced(shape: Shape, axis: Axis) -> Shape:
    return () if axis is None else tuple(np.delete(shape, axis).tolist())


@exercise(
    points=2,
    cases=means,
    as_arguments=lambda g, x, axis: (locked(g)[()], locked(x), axis),
    answer=Arrays("an array of the shape of x"),
    code=lambda g, x, axis: as_python(g=g, x=x, axis=axis),
    instead_of=ENGINE,
)
def mean_vjp(g: Array, x: Array, axis: Axis) -> Array:
    """The rule of a reduction

    `g` is the gradient of `x.mean(axis)`. Return the gradient of `x`. The `axis` is a number,
    possibly a negative one, or None for the mean of all elements; then `g` is a single number.

    First step: Begin with the mean of everything, where axis is None and g is one number. By how
    much does it move if one element of x is nudged? And how many numbers are asked for?
    Hint: What does one mean do if one of its n elements is nudged by 1? And which number of g
    belongs to that mean?
    Hint: Write the shapes of x, of its mean and of g below each other. g has an axis less than x,
    and broadcasting fills up on the left: put the axis back where it was, and then stretch. That
    leaves how much of each number of g an element gets.
    Hint: The sum of each row of a (2, 3) matrix removes axis 1. With g of shape (2,),
        column = np.expand_dims(g, 1)
    has shape (2, 1), and
        np.broadcast_to(column, (2, 3))
    gives each element of a row the gradient of that row's sum. For the mean one step is missing.
    Another way: Count by sizes, and let broadcasting stretch:
        def mean_vjp(g, x, axis):
            share = g * np.size(g) / x.size
            return np.zeros_like(x) + (share if axis is None else np.expand_dims(share, axis))
    x.size / g.size elements go into each mean, whatever the axis; that would hold for several axes,
    too.
    Verified: shape and numbers agree for {cases} means, along every axis.
    """
    return _stretched(g, x, axis) / _count(x, axis)


mean_vjp.slip(
    "gradient 1",
    """You return ones, whatever comes from above. Each element has a share in the mean, and the
    gradient g of that mean is not 1.""",
    ("_stretched(g, x, axis) / _count(x, axis)", "np.ones(x.shape)"),
    ("_stretched(g, x, axis) / _count(x, axis)", "np.full(x.shape, 1 / _count(x, axis))"),
)
mean_vjp.slip(
    "rule of the sum",
    """That is the gradient of a sum. If one of n elements is nudged by 1, their mean does not move
    by 1.""",
    (" / _count(x, axis)", ""),
)
mean_vjp.slip(
    "divided by the number of all elements",
    """You divide by the number of all elements of x. A mean over an axis has only as many summands
    as that axis is long.""",
    ("_count(x, axis)", "x.size"),
)
mean_vjp.slip(
    "divided by the number of means",
    "You divide by the number of means. What counts is how many elements go into each of them.",
    ("_count(x, axis)", "g.size"),
)
mean_vjp.slip(
    "axis not put back",
    """The mean has removed an axis, so g has one less than x, and broadcasting aligns it at the
    right, with the wrong one or with none. Where was the axis that is missing?""",
    ("_stretched(g, x, axis) / _count(x, axis)", "np.broadcast_to(g / _count(x, axis), x.shape)"),
)
mean_vjp.slip(
    "not given back to every element",
    """Your result has the shape of g. Each element of x went into a mean, so each gets its share of
    the gradient.""",
    ("_stretched(g, x, axis)", "g"),
)
mean_vjp.slip(
    "multiplied by x",
    """You multiply by x. A mean is a sum of elements times 1/n, so its derivative does not depend
    on how large they are.""",
    ("/ _count", "* x / _count"),
    ("/ _count(x, axis)", "* x"),
)


# --- indexing -------------------------------------------------------------------------------------


def _scatter(g: Array, index: list[int], shape: Shape) -> Array:
    out = np.zeros(shape)
    out[index] = g
    return out


def _counts(g: Array, index: list[int], shape: Shape) -> Array:
    return index_vjp(np.ones_like(g), index, shape)


def indexed(rng: Random) -> list[Case]:
    """A gradient, a list of rows with repetitions, and the shape that they were picked from."""
    chosen: list[tuple[list[int], Shape]] = [
        ([2, 0, 2], (4,)),
        ([1, 1, 1, 0], (3, 2)),
        ([3, 0], (4,)),
        ([-1, 2, -1], (4, 2)),
        ([-1, 3, -4], (4,)),
        ([1], (3,)),
        ([0], (1, 2)),
        ([0, 1, 2], (3,)),
        ([2, 0, 1], (3, 2)),
        ([0, 0, 0, 0, 0], (2,)),
        ([4, 4], (5, 3)),
        ([1, 0, 1], (2, 3, 2)),
        ([2, 0, 2], (4,)),
    ]
    for _ in range(12):
        rows = rng.randint(2, 5)
        index = [rng.randrange(rows) for _ in range(rng.randint(2, 6))]
        chosen.append((index, (rows, *[rng.randint(1, 3)] * rng.randint(0, 1))))
    return [(numbers(rng, len(i), *shape[1:]), i, list(shape)) for i, shape in chosen]


@exercise(
    points=2,
    cases=indexed,
    as_arguments=lambda g, index, shape: (locked(g), list(index), tuple(shape)),
    answer=Arrays("an array of the given shape"),
    code=lambda g, index, shape: f"{as_python(g=g)}\nindex = {index}\nshape = {tuple(shape)}",
    instead_of=ENGINE,
)
def index_vjp(g: Array, index: list[int], shape: Shape) -> Array:
    """Going back through an index

    `x` has the given `shape`, `index` is a list of row numbers, and `g` is the gradient of
    `x[index]`. Return the gradient of `x`. A row may stand in the list several times, or not at
    all, and -1 means the last row, as everywhere in Python.

    First step: What is the gradient of a row of x that was not picked? Begin with an array in which
    every row has that, and ask of each row of g where it has come from.
    Hint: Which row of x did the first row of g come from? And what if another row of g came from
    there too?
    Hint: A loop over index and g together does it, one row after the other. `np.add.at` does the
    same without a loop.
    Hint: To count votes for candidates 0, 1 and 2:
        out = np.zeros(3)
        for candidate, weight in zip([2, 0, 2], [1.5, 2.0, 0.5]):
            out[candidate] += weight
    gives [2.0, 0.0, 2.0]: candidate 2 got 1.5 and 0.5.
    Another way: Picking rows is a matrix product, and going back is the one with the transpose:
        def index_vjp(g, index, shape):
            picked = np.eye(shape[0])[index]  # row k has its 1 at place index[k]
            return np.tensordot(picked.T, g, axes=1)
    It shows why repeated rows add up: it is the rule of matmul. For many rows the matrix of zeros
    is a waste.
    Verified: shape and numbers agree for {cases} index lists, most of them with repetitions.
    """
    out = np.zeros(shape)
    np.add.at(out, index, g)
    return out


index_vjp.slip(
    "assigned instead of added",
    """Where a row was picked several times, only the last of its gradients is left. (In
    `out[index] += g` NumPy reads all old values first, adds, and then writes.) What should
    become of the others?""",
    ("np.add.at(out, index, g)", "out[index] = g"),
)


@index_vjp.misconception("first one wins")
def _first_write(g: Array, index: list[int], shape: Shape) -> Array:
    """Where a row was picked several times, you keep the first of its gradients. What should become
    of the others?
    """
    return _scatter(g[::-1], index[::-1], shape)


index_vjp.slip(
    "picked instead of put back",
    """You index g with the row numbers. They are places in x, and they say where each row of g has
    to go to.""",
    ("return out", "return g[index]"),
)
index_vjp.slip(
    "upstream gradient left out",
    """You count how often each row was picked. Each time, it gets the gradient that came back to
    that place, and that is not 1.""",
    ("index, g)", "index, np.ones_like(g))"),
)


@index_vjp.misconception("mean instead of sum")
def _average(g: Array, index: list[int], shape: Shape) -> Array:
    """Where a row was picked several times, you take the mean of its gradients. Contributions add
    up, as at every fan-out.
    """
    return index_vjp(g, index, shape) / np.maximum(_counts(g, index, shape), 1)


@index_vjp.misconception("index left out")
def _in_order(g: Array, index: list[int], shape: Shape) -> Array:
    """You put the rows of g back in the order in which they come. `index` says where each of them
    belongs.
    """
    out = np.zeros(shape)
    rows = min(len(g), len(out))
    out[:rows] = g[:rows]
    return out


index_vjp.slip(
    "shape of g",
    """You return g as it is. x may have more rows than were picked, and those that were not picked
    get zeros.""",
    ("return out", "return g"),
)
index_vjp.slip(
    "summed over everything",
    """You add up all rows of g, and give the sum to every row of x. Each row of g goes to the one
    row that it was picked from, and rows that were not picked get zeros.""",
    ("return out", "return np.broadcast_to(g.sum(axis=0), shape)"),
)


# --- repair ---------------------------------------------------------------------------------------


def tables(rng: Random) -> list[Case]:
    """A gradient and a matrix: wide, square, tall, one row, one column, and random ones."""
    sizes = [(2, 3), (3, 3), (3, 2), (1, 4), (4, 1), (1, 1), (2, 2), (5, 7), (2, 3)]
    sizes += [(rng.randint(1, 4), rng.randint(2, 4)) for _ in range(12)]
    return [(numbers(rng, n, k), numbers(rng, n, k)) for n, k in sizes]


@exercise(
    points=3,
    kind="repair",
    cases=tables,
    as_arguments=lambda g, x: (locked(g), locked(x)),
    answer=Arrays("an array of the shape of x"),
    code=lambda g, x: as_python(g=g, x=x),
    instead_of=ENGINE,
)
def repair_center_vjp(g: Array, x: Array) -> Array:
    """Repair a gradient that fits by accident

    `center` takes away from each row of a matrix its mean. `broken_center_vjp` is meant to be the
    way back. No shape protests, but the numbers are not those of the engine.

    ---

    Where is the fault? Write a version that is right. If you get lost, draw the graph of
    `center(x)` and write the shapes of values and gradients beside its arrows.

    First step: Copy the body of `broken_center_vjp` into your function. Write the shape of every
    line beside it, and compare `g_mean` with the shape of the mean itself.
    Hint: The mean has shape (n, 1). What shape has its gradient in the broken function?
    Hint: The difference stretches the mean from (n, 1) to (n, k). So before `g_mean` goes through
    the mean, it needs what every gradient needs whose value was stretched; see exercise 2.
    Hint: For out = x / x.sum() with a vector x, the sum s is one number that is stretched. What
    comes back to it is a whole vector, -g * x / s**2, and its gradient is the sum of that vector:
        g_s = (-g * x / s**2).sum()
        g_x = g / s + g_s
    Without the sum both lines would run, and be wrong.
    Another way: To take the mean away is to multiply by a matrix, and that matrix is symmetric:
        def repair_center_vjp(g, x):
            n = x.shape[1]
            return g @ (np.eye(n) - np.full((n, n), 1 / n))
    So the way back is the way forward: centering g is the whole rule.
    Verified: the gradient agrees for {cases} matrices.
    """
    return g - g.mean(axis=1, keepdims=True)


repair_center_vjp.slip(
    "as it was handed out",
    """This is still the fault of the function as it was handed out. The mean of a row is one
    number, stretched along the row when it is taken away. What comes back to it therefore has
    to be summed, and is not.""",
    ("- g.mean(axis=1, keepdims=True)", "+ -g / x.shape[1]"),
)
repair_center_vjp.slip(
    "summed over everything",
    """You sum over the whole matrix. Each row has a mean of its own, and only its own row comes
    back to it.""",
    ("g.mean(axis=1, keepdims=True)", "g.sum() / x.shape[1]"),
    ("g.mean(axis=1, keepdims=True)", "g.mean()"),
)
repair_center_vjp.slip(
    "summed over the wrong axis",
    "You sum down the columns. The mean was taken along each row, and stretched along it.",
    ("g.mean(axis=1, keepdims=True)", "g.sum(axis=0) / x.shape[1]"),
    ("g.mean(axis=1, keepdims=True)", "g.mean(axis=0)"),
)
repair_center_vjp.slip(
    "axis lost in the sum",
    """Your sum removes axis 1, and broadcasting then aligns what is left with the columns: an
    error, or for a square matrix silently the wrong numbers. Which shape has the mean?""",
    ("g.mean(axis=1, keepdims=True)", "g.sum(axis=1) / x.shape[1]"),
)
repair_center_vjp.slip(
    "share of the mean forgotten",
    """You sum, which was missing. But then the gradient still has to go through the mean. How much
    does the mean of a row move with one of its elements?""",
    ("g.mean(axis=1, keepdims=True)", "g.sum(axis=1, keepdims=True)"),
)
repair_center_vjp.slip(
    "direct path lost",
    "x is used twice: by itself, and in the mean. You have only what comes back through the mean.",
    ("g - g.mean(axis=1, keepdims=True)", "np.zeros_like(g) - g.mean(axis=1, keepdims=True)"),
)
repair_center_vjp.slip(
    "mean left out",
    """You have only what comes back to x directly. x also goes into the mean, and what comes back
    there adds up with the rest.""",
    ("g - g.mean(axis=1, keepdims=True)", "g"),
)
repair_center_vjp.slip(
    "sign of the mean",
    "The mean is taken away, so what comes back through it has a minus.",
    ("g -", "g +"),
)
