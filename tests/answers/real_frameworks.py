"""Lesson 15."""

import math

import numpy as np

from . import right, wrong

# --- when Python comes by -------------------------------------------------------------------------

LINES = {"eager": 5, "backward": 5, "jitted": 1, "shapes": 2, "gradient": 1, "file": 0}
right(
    "predict_runs",
    LINES,
    dict(reversed(LINES.items())),
    {case: float(lines) for case, lines in LINES.items()},
)
wrong(
    "predict_runs",
    dict.fromkeys(LINES, 1),
    LINES | {"eager": 1},
    LINES | {"jitted": 0},
    LINES | {"shapes": 3},
    LINES | {"gradient": 0},
    LINES | {"backward": 1},
)
wrong("predict_runs", LINES | {"file": 1}, hint="a file with Python in it")

# --- what a trace is kept for ---------------------------------------------------------------------


@right("count_traces")
def a_list_of_kinds(calls):
    kinds, counts = [], []
    for call in calls:
        if call not in kinds:
            kinds.append(call)
        counts.append(len(kinds))
    return counts


@right("count_traces")
def as_text(calls):
    texts = set()
    return [len(texts) for call in calls if not texts.add(repr(call))]


@right("count_traces")
def a_running_sum(calls):
    new = [call not in calls[:n] for n, call in enumerate(calls)]
    return np.cumsum(new, dtype=int)


@wrong("count_traces")
def the_type_of_the_first_argument(calls):
    return as_text([([shape for shape, _ in call], call[:1]) for call in calls])


@wrong("count_traces")
def two_arguments_at_most(calls):
    return as_text([call[:2] for call in calls])


@wrong("count_traces")
def sizes_in_a_row(calls):
    return as_text(
        [(sum((shape for shape, _ in call), ()), [dtype for _, dtype in call]) for call in calls]
    )


@wrong("count_traces")
def before_the_call(calls):
    return [0, *as_text(calls)][: len(calls)]


@wrong("count_traces")
def new_or_not(calls):
    return [int(call not in calls[:n]) for n, call in enumerate(calls)]


@wrong("count_traces")
def all_at_the_end(calls):
    return as_text(calls)[-1:] * len(calls)


@wrong("count_traces")
def the_number_of_axes(calls):
    kinds = [tuple((len(shape), dtype) for shape, dtype in call) for call in calls]
    return [len({*kinds[: n + 1]}) for n in range(len(calls))]


@wrong("count_traces")
def the_number_of_arguments(calls):
    return [len({len(call) for call in calls[: n + 1]}) for n in range(len(calls))]


@wrong("count_traces", hint="the type does not count")
def without_types(calls):
    return as_text([[shape for shape, _ in call] for call in calls])


# --- a model in a file ----------------------------------------------------------------------------


@right("run_model")
def with_many_ifs(nodes, inputs):
    known = {**inputs}
    for operator, names, result in nodes:
        x, y = known[names[0]], known[names[-1]]
        if operator == "Add":
            known[result] = x + y
        elif operator == "Sub":
            known[result] = x - y
        elif operator == "Mul":
            known[result] = x * y
        elif operator == "Neg":
            known[result] = -x
        elif operator == "Tanh":
            known[result] = np.tanh(x)
        else:
            known[result] = x if x > 0 else 0
    return known


@right("run_model")
def with_match(nodes, inputs):
    values = inputs.copy()
    for node in nodes:
        match node[0], [values[name] for name in node[1]]:
            case "Add", [x, y]:
                z = x + y
            case "Sub", [x, y]:
                z = x - y
            case "Mul", [x, y]:
                z = x * y
            case "Neg", [x]:
                z = 0 - x
            case "Tanh", [x]:
                z = math.tanh(x)
            case "Relu", [x]:
                z = (x + abs(x)) / 2
        values[node[2]] = z
    return values


@right("run_model")
def one_node_at_a_time(nodes, inputs):
    values = dict(inputs)
    for n in range(len(nodes)):
        values = with_many_ifs(nodes[n : n + 1], values)
    return values


@wrong("run_model", says="OverflowError")
def tanh_of_two_exponentials(nodes, inputs):
    values = dict(inputs)
    for operator, names, result in nodes:
        if operator == "Tanh":
            up = math.exp(2 * values[names[0]])
            values[result] = (up - 1) / (up + 1)
        else:
            values = with_many_ifs([[operator, names, result]], values)
    return values


@wrong("run_model")
def forgets_the_last(nodes, inputs):
    return with_many_ifs(nodes[:-1], inputs)


@wrong("run_model")
def mul_for_add(nodes, inputs):
    return with_many_ifs([["Mul" if n[0] == "Add" else n[0], *n[1:]] for n in nodes], inputs)


@wrong("run_model")
def steps_for_relu(nodes, inputs):
    values = dict(inputs)
    for node in nodes:
        values = with_many_ifs([node], values)
        if node[0] == "Relu":
            values[node[2]] = float(values[node[1][0]] > 0)
    return values


@wrong("run_model")
def rounds(nodes, inputs):
    return {name: round(x, 1) for name, x in with_many_ifs(nodes, inputs).items()}


@wrong("run_model", says="changes inputs")
def writes_into_the_inputs(nodes, inputs):
    inputs.update(with_many_ifs(nodes, inputs))
    return inputs


@wrong("run_model")
def a_list(nodes, inputs):
    return dict.fromkeys(with_many_ifs(nodes, inputs), 0.0)


@wrong("run_model", hint="inputs in another order")
def inputs_from_the_right(nodes, inputs):
    return with_many_ifs([[op, names[::-1], result] for op, names, result in nodes], inputs)


# --- half precision -------------------------------------------------------------------------------


@right("scaled_step")
def one_after_the_other(weights, gradients, scale, rate):
    g = [float(x) / scale for x in gradients]
    if any(math.isnan(x) or math.isinf(x) for x in g):
        return list(weights), scale / 2
    return [w - rate * x for w, x in zip(weights, g)], scale


@right("scaled_step")
def in_float64(weights, gradients, scale, rate):
    g = gradients.astype(np.float64)
    fine = bool(np.isfinite(g.sum()))
    new = weights - (rate / scale) * g if fine else weights.copy()
    return new, scale if fine else 0.5 * scale


@right("scaled_step")
def looks_for_both(weights, gradients, scale, rate):
    if np.isnan(gradients).any() or np.isinf(gradients).any():
        return weights, scale * 0.5
    return weights - rate * np.asarray(gradients, dtype=float) / scale, scale


@wrong("scaled_step")
def never_moves(weights, gradients, scale, rate):
    return weights, scale if np.isfinite(gradients).all() else scale / 2


@wrong("scaled_step")
def half_of_it_each_time(weights, gradients, scale, rate):
    return in_float64(weights, gradients, scale, rate)[0], scale / 2


@wrong("scaled_step")
def without_a_rate(weights, gradients, scale, rate):
    return in_float64(weights, gradients, scale, 1.0)


@wrong("scaled_step", hint="looked for after a sum")
def one_number_for_all(weights, gradients, scale, rate):
    new, _ = in_float64(weights, gradients, scale, rate)
    fine = np.isfinite(gradients @ gradients)
    return new if fine else weights, scale if fine else scale / 2


@wrong("scaled_step", hint="the largest number taken for infinity")
def less_than_the_largest(weights, gradients, scale, rate):
    if not all(abs(float(g)) < 65504 for g in gradients):
        return weights, scale / 2
    return in_float64(weights, gradients, scale, rate)


@wrong("scaled_step", hint="infinity taken for a number")
def as_the_author_did(weights, gradients, scale, rate):
    return weights - rate * (gradients / scale), scale


@wrong("scaled_step", hint="a step along the rest")
def steps_with_what_is_finite(weights, gradients, scale, rate):
    fine = np.isfinite(gradients)
    g = np.where(fine, gradients, 0).astype(float)
    return weights - rate * g / scale, scale if fine.all() else scale / 2


@wrong("scaled_step")
def a_scale_of_one(weights, gradients, scale, rate):
    new, kept = in_float64(weights, gradients, scale, rate)
    return new, kept if kept == scale else 1.0


@wrong("scaled_step")
def weights_in_half(weights, gradients, scale, rate):
    new, kept = in_float64(weights, gradients, scale, rate)
    return np.asarray(new, dtype=np.float16), kept


@wrong("scaled_step", hint="the scale stays in")
def not_divided(weights, gradients, scale, rate):
    return in_float64(weights, gradients * 1.0, scale, rate * scale)
