"""Lesson 07."""

import math

import numpy as np

import minigraph as mg

from . import right, wrong

# --- predict shapes -------------------------------------------------------------------------------

SHAPES = {
    "a + b": (3, 4),
    "a * c": (2, 3, 4),
    "c + d": "error",
    "c @ d": (2, 3, 2),
    "mean(c, axis=1)": (2, 4),
    "d[[3, 0, 3]]": (3, 2),
    "gradient of b": (4,),
}
right(
    "predict_shapes",
    SHAPES,
    {name: list(shape) if shape != "error" else "Error" for name, shape in SHAPES.items()},
    {name: shape if shape == "error" else np.zeros(shape).shape for name, shape in SHAPES.items()},
    SHAPES | {"gradient of b": [np.int64(4)], "c + d": " error "},
)
wrong(
    "predict_shapes",
    SHAPES | {"a + b": (3, 1)},
    SHAPES | {"a + b": (4, 3)},
    SHAPES | {"a * c": (2, 3, 1)},
    SHAPES | {"c @ d": (2, 4, 2)},
    SHAPES | {"c @ d": (2, 3, 4, 2)},
    SHAPES | {"mean(c, axis=1)": ()},
    SHAPES | {"d[[3, 0, 3]]": (3, 4)},
    SHAPES | {"d[[3, 0, 3]]": "error"},
    SHAPES | {"gradient of b": ()},
    SHAPES | {"gradient of b": (1, 4)},
    SHAPES | {"a + b": "error", "gradient of b": "error"},
)
wrong("predict_shapes", SHAPES | {"gradient of b": 4}, says="it is written (4,), with a comma")
wrong("predict_shapes", SHAPES | {"c + d": None}, says="where a shape belongs")
wrong("predict_shapes", list(SHAPES.values()), says="It should be a dictionary")
wrong("predict_shapes", SHAPES | {"gradient of b": (3, 4)}, hint="gradient of the result's shape")

# --- unbroadcast ----------------------------------------------------------------------------------


@right("unbroadcast")
def all_axes_at_once(g, shape):
    new = g.ndim - len(shape)
    axes = [*range(new), *(new + i for i in range(len(shape)) if shape[i] == 1)]
    return np.sum(g, axis=tuple(axes)).reshape(shape)


@right("unbroadcast")
def each_number_to_its_element(g, shape):
    out = np.zeros(shape)
    for place in np.ndindex(g.shape):
        own = place[g.ndim - len(shape) :]
        out[tuple(0 if n == 1 else i for i, n in zip(own, shape))] += g[place]
    return out


@right("unbroadcast")
def from_the_right(g, shape):
    shape_of_both = (1,) * (g.ndim - len(shape)) + tuple(shape)
    for axis in range(g.ndim - 1, -1, -1):
        if shape_of_both[axis] != g.shape[axis]:
            g = np.add.reduce(g, axis=axis, keepdims=True)
    return np.reshape(g, shape)


@right("unbroadcast")
def by_places(g, shape):
    places = np.broadcast_to(np.arange(math.prod(shape)).reshape(shape), g.shape)
    return np.bincount(places.ravel(), weights=g.ravel(), minlength=math.prod(shape)).reshape(shape)


@wrong("unbroadcast")
def one_new_axis_only(g, shape):
    if g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


@wrong("unbroadcast", hint="aligned at the left")
def new_axes_at_the_end(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=-1)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


@wrong("unbroadcast")
def matrices_only(g, shape):
    if len(shape) == 0:
        return g.sum()
    if len(shape) == 1:
        return g.sum(axis=0) if g.ndim == 2 else g
    if shape[0] == 1:
        g = g.sum(axis=0, keepdims=True)
    return g.sum(axis=1, keepdims=True) if shape[1] == 1 else g


@wrong("unbroadcast")
def first_axis_of_size_1_only(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    if 1 in shape:
        g = g.sum(axis=tuple(shape).index(1), keepdims=True)
    return g


@wrong("unbroadcast")
def largest_of_the_copies(g, shape):
    while g.ndim > len(shape):
        g = g.max(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.max(axis=axis, keepdims=True)
    return g


@wrong("unbroadcast")
def rows_of_a_reshaped_one(g, shape):
    return g.reshape(-1, *shape).sum(axis=0) if g.size % math.prod(shape) == 0 else g


@wrong("unbroadcast")
def wrong_count_of_axes(g, shape):
    while g.ndim > max(len(shape), 1):
        g = g.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


@wrong("unbroadcast", says="`Node.backward`, which does what your function is to do")
def with_the_engine(g, shape):
    x = mg.variable(np.ones(shape))
    mg.broadcast_to(x, g.shape).backward(seed=g)
    return x.grad


@wrong("unbroadcast", hint="mean instead of sum")
def means(g, shape):
    return all_axes_at_once(g, shape) / (g.size / math.prod(shape))


# --- matmul ---------------------------------------------------------------------------------------


@right("matmul_vjp")
def einsums(g, x, y):
    return np.einsum("nm,km->nk", g, y), np.einsum("nk,nm->km", x, g)


@right("matmul_vjp")
def in_a_list(g, x, y):
    return [np.matmul(g, np.transpose(y)), np.dot(x.swapaxes(0, 1), g)]


@right("matmul_vjp")
def transposed_back(g, x, y):
    return (y @ g.T).T, (g.T @ x).T


@right("matmul_vjp")
def three_loops(g, x, y):
    gx, gy = np.zeros(x.shape), np.zeros(y.shape)
    for i in range(x.shape[0]):
        for j in range(y.shape[1]):
            for k in range(x.shape[1]):
                gx[i, k] += g[i, j] * y[k, j]
                gy[k, j] += g[i, j] * x[i, k]
    return gx, gy


@wrong("matmul_vjp")
def one_of_them_without_transpose(g, x, y):
    return g @ y.T, x @ g


@wrong("matmul_vjp")
def order_of_the_second(g, x, y):
    return g @ y.T, g @ x.T


@wrong("matmul_vjp")
def x_gradient_transposed(g, x, y):
    return y @ g.T, x.T @ g


@wrong("matmul_vjp")
def reshaped_instead_of_transposed(g, x, y):
    return g @ y.reshape(y.shape[::-1]), x.reshape(x.shape[::-1]) @ g


@wrong("matmul_vjp")
def summed_rows(g, x, y):
    return g @ y.T, np.broadcast_to((x.T @ g).sum(axis=0), y.shape)


@wrong("matmul_vjp")
def minus_for_the_second(g, x, y):
    return g @ y.T, -x.T @ g


@wrong("matmul_vjp", says="it has 1 parts")
def only_x(g, x, y):
    return (g @ y.T,)


@wrong("matmul_vjp", says="It should be two arrays")
def a_dictionary(g, x, y):
    return {"x": g @ y.T, "y": x.T @ g}


@wrong("matmul_vjp", hint="gradients swapped")
def y_first(g, x, y):
    return x.T @ g, g @ y.T


# --- mean -----------------------------------------------------------------------------------------


@right("mean_vjp")
def by_sizes(g, x, axis):
    n = x.size / np.size(g)
    if axis is not None:
        g = np.expand_dims(g, axis)
    return np.ones_like(x) * g / n


@right("mean_vjp")
def with_moveaxis(g, x, axis):
    if axis is None:
        return np.full_like(x, g) / x.size
    stacked = np.stack([g / x.shape[axis]] * x.shape[axis])
    return np.moveaxis(stacked, 0, axis)


@right("mean_vjp")
def element_by_element(g, x, axis):
    out = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        if axis is None:
            out[place] = g / x.size
        else:
            rest = list(place)
            del rest[axis]
            out[place] = np.asarray(g)[tuple(rest)] / x.shape[axis]
    return out


@right("mean_vjp")
def repeats(g, x, axis):
    if axis is None:
        return np.repeat(g, x.size).reshape(x.shape) / x.size
    return np.repeat(np.expand_dims(g, axis), x.shape[axis], axis) / x.shape[axis]


@wrong("mean_vjp")
def axis_0_is_no_axis(g, x, axis):
    if not axis:
        return np.full(x.shape, np.sum(g) / x.size)
    return np.broadcast_to(np.expand_dims(g, axis), x.shape) / x.shape[axis]


@wrong("mean_vjp")
def columns_always(g, x, axis):
    if axis is None:
        return np.full(x.shape, g / x.size)
    g = g.reshape(-1, 1) if axis == 1 else g
    return np.broadcast_to(g / x.shape[axis], x.shape)


@wrong("mean_vjp")
def negative_axes_from_the_front(g, x, axis):
    if axis is None:
        return np.full(x.shape, g / x.size)
    return np.broadcast_to(np.expand_dims(g, abs(axis)), x.shape) / x.shape[abs(axis)]


@wrong("mean_vjp")
def minus_1_is_the_only_negative_one(g, x, axis):
    if axis is None:
        return np.full(x.shape, g / x.size)
    axis = x.ndim - 1 if axis < 0 else axis
    return np.broadcast_to(np.expand_dims(g, axis), x.shape) / x.shape[axis]


@wrong("mean_vjp")
def by_the_other_axis(g, x, axis):
    if axis is None:
        return np.full(x.shape, g / x.size)
    return np.broadcast_to(np.expand_dims(g, axis), x.shape) / x.shape[axis - 1]


@wrong("mean_vjp")
def by_the_number_of_axes(g, x, axis):
    if axis is None:
        return np.full(x.shape, g / x.ndim)
    return np.broadcast_to(np.expand_dims(g, axis), x.shape) / x.ndim


@wrong("mean_vjp")
def summed_up(g, x, axis):
    return np.full(x.shape, np.sum(g) / x.size)


@wrong("mean_vjp", says="AxisError")
def none_forgotten(g, x, axis):
    shape = list(x.shape)
    del shape[axis if axis is not None else 0 : x.ndim]
    return np.expand_dims(g, 9 if axis is None else axis) * np.ones(x.shape) / x.shape[axis or 0]


@wrong("mean_vjp", hint="rule of the sum")
def not_divided(g, x, axis):
    return by_sizes(g, x, axis) * (x.size / np.size(g))


# --- indexing -------------------------------------------------------------------------------------


@right("index_vjp")
def numpys_own(g, index, shape):
    out = np.zeros(shape)
    np.add.at(out, np.array(index), g)
    return out


@right("index_vjp")
def one_hot(g, index, shape):
    return np.tensordot(np.eye(shape[0])[index], g, axes=(0, 0))


@right("index_vjp")
def row_by_row(g, index, shape):
    rows = [i % shape[0] for i in index]
    zero = np.zeros(shape[1:])
    return np.array(
        [sum((g[k] for k, r in enumerate(rows) if r == n), zero) for n in range(shape[0])]
    )


@right("index_vjp")
def by_number(g, index, shape):
    out = np.zeros(shape)
    for k in range(len(index)):
        out[index[k]] = out[index[k]] + g[k]
    return out.tolist()


@wrong("index_vjp")
def negative_rows_not_found(g, index, shape):
    out = np.zeros(shape)
    for n in range(shape[0]):
        for k, i in enumerate(index):
            if i == n:
                out[n] += g[k]
    return out


@wrong("index_vjp")
def minus_1_and_3_are_two(g, index, shape):
    sums = {}
    for i, row in zip(index, g):
        sums[i] = sums.get(i, 0) + row
    out = np.zeros(shape)
    for i, row in sums.items():
        out[i] = row
    return out


@wrong("index_vjp")
def negative_rows_by_their_size(g, index, shape):
    out = np.zeros(shape)
    for i, row in zip(index, g):
        out[abs(i)] += row
    return out


@wrong("index_vjp")
def twice_is_the_most(g, index, shape):
    out = np.zeros(shape)
    out[index] = g
    for k, i in enumerate(index):
        if i in index[k + 1 :] and i not in index[:k]:
            out[i] += g[k]
    return out


@wrong("index_vjp", says="should have shape (4,), and it has (3,)")
def shape_of_the_picked_rows(g, index, shape):
    out = np.zeros(g.shape)
    for i, row in zip(index, g):
        out[i] += row
    return out


@wrong("index_vjp", says="IndexError")
def matrices_with_columns(g, index, shape):
    out = np.zeros(shape)
    for k, i in enumerate(index):
        for j in range(shape[1]):
            out[i, j] += g[k, j]
    return out


@wrong("index_vjp")
def columns_instead_of_rows(g, index, shape):
    out = np.zeros(shape)
    for i, row in zip(index, g):
        out[..., i % shape[-1]] += np.sum(row)
    return out


@wrong("index_vjp")
def sorted_places(g, index, shape):
    out = np.zeros(shape)
    for i, row in zip(sorted(index), g):
        out[i] += row
    return out


@wrong("index_vjp", hint="assigned instead of added")
def plus_equals_with_a_list(g, index, shape):
    out = np.zeros(shape)
    out[index] += g
    return out


# --- repair ---------------------------------------------------------------------------------------


@right("repair_center_vjp")
def centred_itself(g, x):
    return g - g.mean(axis=1, keepdims=True)


@right("repair_center_vjp")
def with_a_matrix(g, x):
    n = x.shape[1]
    return g @ (np.eye(n) - np.full((n, n), 1 / n))


@right("repair_center_vjp")
def a_row_at_a_time(g, x):
    return np.array([row - sum(row) / len(row) for row in g])


@right("repair_center_vjp")
def turned_round(g, x):
    return (g.T - g.T.sum(0) / x.shape[1]).T


@wrong("repair_center_vjp")
def mean_of_x(g, x):
    return g - x.mean(axis=1, keepdims=True)


@wrong("repair_center_vjp")
def divided_by_the_rows(g, x):
    return g - g.sum(axis=1, keepdims=True) / x.shape[0]


@wrong("repair_center_vjp")
def divided_twice(g, x):
    return g - g.mean(axis=1, keepdims=True) / x.shape[1]


@wrong("repair_center_vjp")
def one_less(g, x):
    return g - g.sum(axis=1, keepdims=True) / max(x.shape[1] - 1, 1)


@wrong("repair_center_vjp")
def first_row_for_all(g, x):
    return g - g[0].mean()


@wrong("repair_center_vjp")
def middle_of_the_row(g, x):
    return g - np.median(g, axis=1, keepdims=True)


@wrong("repair_center_vjp")
def scaled_afterwards(g, x):
    return (g - g.mean(axis=1, keepdims=True)) * (1 - 1 / x.shape[1])


@wrong("repair_center_vjp", says="read-only")
def in_place(g, x):
    g -= g.mean(axis=1, keepdims=True)
    return g


@wrong("repair_center_vjp", hint="as it was handed out")
def unchanged(g, x):
    g_x = g
    g_mean = -g
    return g_x + g_mean / x.shape[1]
