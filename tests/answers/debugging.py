"""Lesson 14."""

import numpy as np

import minigraph as mg

from . import right, wrong

# --- a gradient that is NaN -----------------------------------------------------------------------


@right("root_or_zero")
def chooses_before(x):
    return mg.where(x > 0, mg.sqrt(mg.where(x > 0, x, 7.0)), 0.0)


@right("root_or_zero")
def moves_what_is_not_positive(x):
    mask = (x.value > 0) * 1.0
    return mg.sqrt(x * mask + (1 - mask)) * mask


@right("root_or_zero")
def with_a_power(x):
    fine = mg.where(x.value > 0, x, 1.0)
    return mg.where(x.value > 0, fine**0.5, 0.0)


@right("root_or_zero")
def the_root_of_zero_is_not_handed_back(x):
    return mg.sqrt(mg.where(x > 0, x, 0.0))


@right("root_or_zero")
def kept_away_from_zero_by_less_than_any_float(x):
    return mg.where(x > 0, mg.sqrt(mg.maximum(x, 1e-300)), 0)


@wrong("root_or_zero")
def almost_zero_under_the_root(x):
    return mg.sqrt(mg.maximum(x, 1e-20))


@wrong("root_or_zero")
def the_smallest_are_cut_off(x):
    return mg.where(x > 0, mg.sqrt(mg.maximum(x, 1e-12)), 0.0)


@wrong("root_or_zero", hint="a threshold above 0")
def above_some_small_number(x):
    return mg.where(x > 1e-8, mg.sqrt(mg.where(x > 1e-8, x, 1.0)), 0.0)


@wrong("root_or_zero", hint="cut off at 0")
def the_root_of_a_maximum(x):
    return mg.maximum(x, 0.0) ** 0.5


@wrong("root_or_zero")
def the_square(x):
    return mg.where(x > 0, x * x, 0.0)


@wrong("root_or_zero")
def the_number_itself(x):
    return mg.maximum(x, 0.0)


@wrong("root_or_zero")
def the_negative_ones(x):
    return mg.where(x < 0, mg.sqrt(mg.where(x < 0, -x, 1.0)), 0.0)


@wrong("root_or_zero")
def the_other_way_round(x):
    safe = mg.where(x > 0, x, 1.0)
    return mg.where(x > 0, 0.0, mg.sqrt(safe))


@wrong("root_or_zero")
def all_added_up(x):
    safe = mg.where(x > 0, x, 1.0)
    return mg.sum(mg.where(x > 0, mg.sqrt(safe), 0.0))


@wrong("root_or_zero", says="a Node")
def values_only(x):
    return np.sqrt(np.maximum(x.value, 0))


@wrong("root_or_zero", hint="the root of all")
def as_it_was(x):
    return mg.where(x > 0, mg.sqrt(x), 0.0)


# --- a gradient that explodes ---------------------------------------------------------------------


@right("clip_together")
def one_long_vector(weight, bias, limit):
    both = np.concatenate([weight.ravel(), bias])
    if np.linalg.norm(both) > limit:
        both = both / np.linalg.norm(both) * limit
    return both[: weight.size].reshape(weight.shape), both[weight.size :]


@right("clip_together")
def with_hypot(weight, bias, limit):
    norm = np.hypot(np.linalg.norm(weight), np.linalg.norm(bias))
    factor = 1.0 if norm <= limit else limit / norm
    return [weight * factor, bias * factor]


@right("clip_together")
def with_loops(weight, bias, limit):
    squares = sum(x * x for x in weight.flat) + sum(x * x for x in bias)
    if squares <= limit * limit:
        return weight.tolist(), bias.tolist()
    return limit * weight / squares**0.5, limit * bias / squares**0.5


@wrong("clip_together", hint="something added to the norm")
def as_in_pytorch(weight, bias, limit):
    norm = np.hypot(np.linalg.norm(weight), np.linalg.norm(bias))
    share = min(1.0, limit / (norm + 1e-6))
    return weight * share, bias * share


@wrong("clip_together")
def short_ones_are_left_alone(weight, bias, limit):
    norm = np.hypot(np.linalg.norm(weight), np.linalg.norm(bias))
    share = limit / norm if norm > max(limit, 1e-8) else 1.0
    return weight * share, bias * share


@wrong("clip_together", says="seven digits of a float32")
def in_float32(weight, bias, limit):
    return [np.float32(g) for g in one_long_vector(weight, bias, limit)]


@wrong("clip_together", hint="the two norms added")
def adds_two_norms(weight, bias, limit):
    norm = np.linalg.norm(weight) + np.linalg.norm(bias)
    share = min(1.0, limit / max(norm, limit))
    return weight * share, bias * share


@wrong("clip_together")
def always_divided_by_the_limit(weight, bias, limit):
    return weight / limit, bias / limit


@wrong("clip_together")
def by_the_weights_alone(weight, bias, limit):
    norm = np.linalg.norm(weight)
    share = limit / norm if norm > limit else 1.0
    return weight * share, bias * share


@wrong("clip_together")
def the_bias_forgotten(weight, bias, limit):
    norm = np.sqrt((weight**2).sum() + (bias**2).sum())
    return weight * (limit / norm if norm > limit else 1.0), bias


@wrong("clip_together")
def thrown_away(weight, bias, limit):
    if np.sqrt((weight**2).sum() + (bias**2).sum()) > limit:
        return weight * 0, bias * 0
    return weight, bias


@wrong("clip_together")
def swapped(weight, bias, limit):
    return one_long_vector(weight, bias, limit)[::-1]


@wrong("clip_together", says="changes weight")
def in_place(weight, bias, limit):
    weight.setflags(write=True)
    bias.setflags(write=True)
    short = one_long_vector(weight, bias, limit)
    weight[...], bias[...] = short
    return weight, bias


@wrong("clip_together", hint="element by element")
def as_the_author_did(weight, bias, limit):
    return np.minimum(np.maximum(weight, -limit), limit), bias.clip(-limit, limit)


# --- inputs that are not connected ----------------------------------------------------------------


@right("deep_output")
def calls_itself(x, weights):
    if not weights:
        return x
    return calls_itself(x + mg.tanh(weights[0] * x), weights[1:])


@right("deep_output")
def in_place_of_itself(x, weights):
    for w in weights:
        x = mg.tanh(x * w) + x
    return x


@right("deep_output")
def keeps_all_layers(x, weights):
    layers = [x]
    for w in weights:
        layers.append(layers[-1] + mg.tanh(w * layers[-1]))
    return layers[-1]


@wrong("deep_output", says="changes weights")
def takes_the_weights_out_of_their_list(x, weights):
    while weights:
        x = x + mg.tanh(weights.pop(0) * x)
    return x


@wrong("deep_output", hint="the past thrown away")
def weights_as_numbers(x, weights):
    for w in weights:
        x = x + mg.tanh(w.value * x)
    return x


@wrong("deep_output")
def without_tanh(x, weights):
    for w in weights:
        x = x + w * x
    return x


@wrong("deep_output")
def minus(x, weights):
    for w in weights:
        x = x - mg.tanh(w * x)
    return x


@wrong("deep_output")
def w_outside(x, weights):
    for w in weights:
        x = x + w * mg.tanh(x)
    return x


@wrong("deep_output")
def the_first_layer_only(x, weights):
    return x + mg.tanh(weights[0] * x) if weights else x


@wrong("deep_output", says="a Node")
def a_number(x, weights):
    return in_place_of_itself(x, weights).value


@wrong("deep_output")
def added_to_the_weight(x, weights):
    for w in weights:
        x = x + mg.tanh(w + x)
    return x


@wrong("deep_output", hint="only the last layer counts")
def as_before(x, weights):
    h = x
    for w in weights:
        h = mg.tanh(w * x) + x
    return h


# --- shapes that fit by accident ------------------------------------------------------------------


@right("line_loss")
def targets_as_a_column(x, w, t):
    return mg.mean((x @ w - t.reshape(-1, 1)) ** 2)


@right("line_loss")
def weights_in_a_row(x, w, t):
    error = x @ mg.reshape(w, (w.size,)) - t
    return error @ error / len(t)


@right("line_loss")
def one_example_after_the_other(x, w, t):
    loss = 0.0
    for row, target in zip(x, t):
        loss = loss + (mg.sum(row @ w) - target) ** 2
    return loss / len(t)


@wrong("line_loss", says="should have shape (), and it has (1, 1)")
def a_row_times_a_column(x, w, t):
    error = x @ w - t.reshape(-1, 1)
    return error.T @ error / len(t)


@wrong("line_loss")
def without_the_targets(x, w, t):
    return mg.mean(((x @ w)[:, 0]) ** 2)


@wrong("line_loss")
def plus(x, w, t):
    return mg.mean(((x @ w)[:, 0] + t) ** 2)


@wrong("line_loss")
def one_too_few(x, w, t):
    return mg.sum(((x @ w)[:, 0] - t) ** 2) / (len(t) + 1)


@wrong("line_loss")
def each_error_by_itself(x, w, t):
    return ((x @ w)[:, 0] - t) ** 2


@wrong("line_loss")
def the_square_of_the_mean(x, w, t):
    return mg.mean((x @ w)[:, 0] - t) ** 2


@wrong("line_loss", hint="each with each")
def not_mended(x, w, t):
    return mg.mean((t - x @ w) ** 2)


# --- gradients that pile up -----------------------------------------------------------------------


@right("fit_slope")
def by_hand(xs, ts, start, rate, steps):
    path, w = [], start
    for _ in range(steps):
        w = w - rate * 2 * float(np.mean((w * xs - ts) * xs))
        path.append(w)
    return path


@right("fit_slope")
def a_new_variable_each_time(xs, ts, start, rate, steps):
    path = []
    for _ in range(steps):
        w = mg.variable(path[-1] if path else start)
        mg.mean((w * xs - ts) ** 2).backward()
        path.append(w.value - rate * w.grad)
    return path


@right("fit_slope")
def emptied_after_the_step(xs, ts, start, rate, steps):
    w = mg.variable(start)
    path = np.zeros(steps)
    for n in range(steps):
        mg.mean(mg.square(ts - w * xs)).backward()
        w.value = path[n] = w.value - rate * w.grad
        w.grad = None
    return path


@wrong("fit_slope")
def no_step_where_it_is_nearly_flat(xs, ts, start, rate, steps):
    path = [start]
    for _ in range(steps):
        slope = 2 * np.mean((path[-1] * xs - ts) * xs)
        path.append(path[-1] - rate * slope * (abs(slope) > 1e-3))
    return path[1:]


@wrong("fit_slope")
def half_of_it(xs, ts, start, rate, steps):
    return by_hand(xs, ts, start, rate / 2, steps)


@wrong("fit_slope")
def without_the_factor_x(xs, ts, start, rate, steps):
    path, w = [], start
    for _ in range(steps):
        w = w - rate * 2 * float(np.mean(w * xs - ts))
        path.append(w)
    return path


@wrong("fit_slope")
def never_moves(xs, ts, start, rate, steps):
    return [start] * steps


@wrong("fit_slope", says="There should be")
def the_last_one_only(xs, ts, start, rate, steps):
    return by_hand(xs, ts, start, rate, steps)[-1:]


@wrong("fit_slope")
def as_if_it_were_the_first(xs, ts, start, rate, steps):
    step = by_hand(xs, ts, start, rate, 1)[0] - start
    return [start + step * (n + 1) for n in range(steps)]


@wrong("fit_slope", says="NoneType")
def emptied_before_the_step(xs, ts, start, rate, steps):
    w = mg.variable(start)
    for _ in range(steps):
        mg.mean((w * xs - ts) ** 2).backward()
        w.grad = None
        w.value = w.value - rate * w.grad
    return []


# --- an array that is changed in place ------------------------------------------------------------


@right("way_down")
def by_a_formula(start, curvature, rate, steps):
    return np.array([start * (1 - 2 * rate * curvature) ** n for n in range(steps + 1)])


@right("way_down")
def fills_an_array(start, curvature, rate, steps):
    way = np.empty((steps + 1, len(start)))
    way[0] = start
    for n in range(steps):
        way[n + 1] = way[n] - rate * 2 * curvature * way[n]
    return way


@right("way_down")
def copies_what_it_keeps(start, curvature, rate, steps):
    w, way = start.copy(), [start.tolist()]
    for _ in range(steps):
        w -= rate * 2 * curvature * w
        way.append(w.tolist())
    return way


@wrong("way_down", hint="one array in all rows")
def a_copy_at_the_door_only(start, curvature, rate, steps):
    w = start.copy()
    way = [w]
    for _ in range(steps):
        w *= 1 - rate * 2 * curvature
        way.append(w)
    return np.array(way)


@wrong("way_down", says="changes start")
def copies_for_the_rows_only(start, curvature, rate, steps):
    w, way = start, [start.copy()]
    for _ in range(steps):
        w -= rate * 2 * curvature * w
        way.append(w.copy())
    return np.array(way)


@wrong("way_down", hint="the start left out")
def after_each_step(start, curvature, rate, steps):
    return by_a_formula(start, curvature, rate, steps)[1:].tolist()


@wrong("way_down", hint="the last place left out")
def before_each_step(start, curvature, rate, steps):
    return by_a_formula(start, curvature, rate, steps)[:steps]


@wrong("way_down", hint="the gradient of the start")
def downhill_in_a_straight_line(start, curvature, rate, steps):
    return np.array([start * (1 - 2 * n * rate * curvature) for n in range(steps + 1)])


@wrong("way_down")
def the_last_row_only(start, curvature, rate, steps):
    return by_a_formula(start, curvature, rate, steps)[-1]


@wrong("way_down")
def backwards(start, curvature, rate, steps):
    return by_a_formula(start, curvature, rate, steps)[::-1]


@wrong("way_down")
def without_the_curvature(start, curvature, rate, steps):
    return by_a_formula(start, np.ones_like(curvature), rate, steps)


@wrong("way_down")
def a_step_too_many(start, curvature, rate, steps):
    return by_a_formula(start, curvature, rate, steps + 1)


@wrong("way_down")
def places_in_columns(start, curvature, rate, steps):
    return by_a_formula(start, curvature, rate, steps).T
