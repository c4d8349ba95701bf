"""Lesson 08."""

import math

import numpy as np

import minigraph as mg

from . import right, wrong

# --- count parameters -----------------------------------------------------------------------------


@right("count_parameters")
def every_array_laid_out(sizes, bias):
    arrays = []
    for n in range(1, len(sizes)):
        arrays.append(np.zeros((sizes[n - 1], sizes[n])))
        arrays += [np.zeros(sizes[n])] * bias
    return int(sum(array.size for array in arrays))


@right("count_parameters")
def weights_and_biases_apart(sizes, bias):
    weights = np.dot(sizes[:-1], sizes[1:])
    return weights + sum(sizes[1:]) if bias else weights


@right("count_parameters")
def from_the_end(sizes, bias):
    if len(sizes) == 1:
        return 0
    return (sizes[-2] + (1 if bias else 0)) * sizes[-1] + from_the_end(sizes[:-1], bias)


@wrong("count_parameters")
def bias_of_the_last_layer_forgotten(sizes, bias):
    return sum(i * o for i, o in zip(sizes, sizes[1:])) + bias * sum(sizes[1:-1])


@wrong("count_parameters")
def first_layer_forgotten(sizes, bias):
    return sum((i + bias) * o for i, o in zip(sizes[1:], sizes[2:]))


@wrong("count_parameters")
def all_sizes_multiplied(sizes, bias):
    return math.prod(sizes) + bias * sum(sizes[1:])


@wrong("count_parameters")
def biases_squared(sizes, bias):
    return sum(i * o + bias * o * o for i, o in zip(sizes, sizes[1:]))


@wrong("count_parameters")
def two_layers_at_most(sizes, bias):
    return sum((i + bias) * o for i, o in list(zip(sizes, sizes[1:]))[:2])


@wrong("count_parameters", hint="biases left out")
def only_weights(sizes, bias):
    return sum(i * o for i, o in zip(sizes, sizes[1:]))


@wrong("count_parameters", says="It should be")
def a_list_of_layers(sizes, bias):
    return [i * o + bias * o for i, o in zip(sizes, sizes[1:])]


# --- a layer --------------------------------------------------------------------------------------


@right("dense")
def three_loops(x, weight, bias):
    out = np.zeros((len(x), len(weight)))
    for i in range(len(x)):
        for j in range(len(weight)):
            out[i, j] = bias[j] + sum(x[i, k] * weight[j, k] for k in range(x.shape[1]))
    return out


@right("dense")
def turned_twice(x, weight, bias):
    return (weight @ x.T + bias.reshape(-1, 1)).T


@right("dense")
def with_a_column_of_ones(x, weight, bias):
    ones = np.ones((len(x), 1))
    return np.hstack([x, ones]) @ np.hstack([weight, bias[:, None]]).T


@wrong("dense")
def bias_taken_away(x, weight, bias):
    return x @ weight.T - bias


@wrong("dense")
def bias_of_the_first_unit(x, weight, bias):
    return x @ weight.T + bias[0]


@wrong("dense")
def mean_over_inputs(x, weight, bias):
    return x @ weight.T / x.shape[1] + bias


@wrong("dense")
def products_not_summed(x, weight, bias):
    return x[:, None, :] * weight + bias[:, None]


@wrong("dense")
def first_example_for_all(x, weight, bias):
    return np.broadcast_to(x[:1] @ weight.T, (len(x), len(weight))) + bias


@wrong("dense", hint="bias left out")
def product_alone(x, weight, bias):
    return np.dot(x, weight.T)


@wrong("dense", says=".value")
def a_node(x, weight, bias):
    return mg.variable(x) @ weight.T + bias


@wrong("dense", says="read-only")
def added_in_place(x, weight, bias):
    bias += x @ weight.T
    return bias


# --- a network ------------------------------------------------------------------------------------


@right("mlp")
def relu_before_each_layer_but_the_first(x, layers):
    for n, (weight, bias) in enumerate(layers):
        if n > 0:
            x = np.where(x > 0, x, 0)
        x = x @ weight.T + bias
    return x


@right("mlp")
def calls_itself(x, layers):
    (weight, bias), *rest = layers
    z = x @ weight.T + bias
    return calls_itself(np.maximum(z, 0), rest) if rest else z


@right("mlp")
def example_by_example(x, layers):
    rows = []
    for row in x:
        for weight, bias in layers[:-1]:
            row = [max(0.0, w @ row + b) for w, b in zip(weight, bias)]
        weight, bias = layers[-1]
        rows.append(weight @ row + bias)
    return rows


@wrong("mlp")
def middle_layers_left_out(x, layers):
    for weight, bias in layers[:-1][:1]:
        x = np.maximum(x @ weight.T + bias, 0)
    weight, bias = layers[-1]
    return x[:, : weight.shape[1]] @ weight.T[: x.shape[1]] + bias


@wrong("mlp")
def leaky(x, layers):
    for weight, bias in layers[:-1]:
        z = x @ weight.T + bias
        x = np.where(z > 0, z, 0.01 * z)
    weight, bias = layers[-1]
    return x @ weight.T + bias


@wrong("mlp")
def absolute_values(x, layers):
    for weight, bias in layers[:-1]:
        x = np.abs(x @ weight.T + bias)
    weight, bias = layers[-1]
    return x @ weight.T + bias


@wrong("mlp")
def softmax_at_the_end(x, layers):
    scores = calls_itself(x, layers)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@wrong("mlp")
def negative_parts(x, layers):
    for weight, bias in layers[:-1]:
        x = np.minimum(x @ weight.T + bias, 0)
    weight, bias = layers[-1]
    return x @ weight.T + bias


@wrong("mlp", hint="relu after the last layer")
def relu_everywhere(x, layers):
    for weight, bias in layers:
        x = np.maximum(x @ weight.T + bias, 0)
    return x


@wrong("mlp", hint="no activation")
def one_product_of_all(x, layers):
    for weight, bias in layers:
        x = np.dot(x, weight.T) + bias
    return x


# --- cross-entropy --------------------------------------------------------------------------------


@right("cross_entropy")
def differences_of_scores(scores, labels):
    losses = []
    for row, k in zip(scores, labels):
        away = row - row[k]
        top = away.max()
        losses.append(top + math.log(np.exp(away - top).sum()))
    return sum(losses) / len(losses)


@right("cross_entropy")
def with_one_hot_rows(scores, labels):
    truth = np.eye(scores.shape[1])[labels]
    m = scores.max(axis=1)
    totals = m + np.log(np.exp((scores.T - m).T).sum(axis=1))
    return float((totals - (truth * scores).sum(axis=1)).mean())


@right("cross_entropy")
def row_by_row(scores, labels):
    total = 0.0
    for i in range(len(labels)):
        m = max(scores[i])
        total += m + math.log(sum(math.exp(s - m) for s in scores[i])) - scores[i][labels[i]]
    return total / len(labels)


@wrong("cross_entropy")
def shifted_once_only(scores, labels):
    m = scores.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(scores - m).sum(axis=1)) - scores[range(len(labels)), labels])


@wrong("cross_entropy")
def logarithm_to_the_base_2(scores, labels):
    return with_one_hot_rows(scores, labels) / math.log(2)


@wrong("cross_entropy")
def divided_by_the_classes(scores, labels):
    return with_one_hot_rows(scores, labels) * len(labels) / scores.shape[1]


@wrong("cross_entropy")
def first_example_alone(scores, labels):
    return with_one_hot_rows(scores[:1], labels[:1])


@wrong("cross_entropy")
def cut_to_hundred(scores, labels):
    return with_one_hot_rows(np.clip(scores, -100, 100), labels)


@wrong("cross_entropy")
def right_score_below_the_best(scores, labels):
    return np.mean(scores.max(axis=1) - scores[np.arange(len(labels)), labels])


@right("cross_entropy")
def shifted_by_the_right_score(scores, labels):
    rows = np.arange(len(labels))
    above = scores - scores[rows, labels][:, None]
    return np.mean(np.logaddexp.reduce(above, axis=1))


@wrong("cross_entropy", hint="another score than the largest")
def shifted_by_the_mean(scores, labels):
    z = scores - scores.mean(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(labels)), labels])


@wrong("cross_entropy")
def held_within_what_exp_can_take(scores, labels):
    z = np.clip(scores, -700, 700)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(labels)), labels])


@wrong("cross_entropy", says="calls `mg.cross_entropy`, which does what your function is to do")
def asks_minigraph(scores, labels):
    return mg.cross_entropy(scores, labels)


@wrong("cross_entropy", says="calls `mg.logsumexp`, which does")
def asks_minigraph_for_the_sum(scores, labels):
    return np.mean(mg.logsumexp(scores, axis=1) - scores[np.arange(len(labels)), labels])


@wrong("cross_entropy", hint="overflow")
def as_in_the_book(scores, labels):
    powers = np.exp(scores)
    p = powers / powers.sum(axis=1, keepdims=True)
    return -np.mean([np.log(row[k]) for row, k in zip(p, labels)])


@wrong("cross_entropy", hint="logarithm of 0")
def softmax_then_logarithm(scores, labels):
    e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    e /= e.sum(axis=1, keepdims=True)
    return -np.log(e[np.arange(len(labels)), labels]).mean()


@wrong("cross_entropy", hint="propped up by a small number")
def softmax_and_a_little(scores, labels):
    e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return np.mean([-np.log(row[k] + 1e-12) for row, k in zip(p, labels)])


# --- predict what a start does --------------------------------------------------------------------

STARTS = {
    "zeros": "neither",
    "w2 zero": "w2 only",
    "w1 zero": "w1 only",
    "halves": "both, all units alike",
    "random": "both, each unit its own",
    "far down": "neither",
}
right(
    "predict_starts",
    STARTS,
    dict(reversed(STARTS.items())),
    {case: f" {word.upper()} " for case, word in STARTS.items()},
)
wrong(
    "predict_starts",
    dict.fromkeys(STARTS, "both, each unit its own"),
    dict.fromkeys(STARTS, "neither"),
    STARTS | {"random": "both, all units alike"},
    STARTS | {"halves": "w2 only"},
    STARTS | {"zeros": "w2 only", "far down": "w2 only"},
)
wrong("predict_starts", STARTS | {"zeros": "w2 only"}, hint="zeros learn")
wrong("predict_starts", STARTS | {"w1 zero": "neither"}, hint="one zero stops everything")
wrong("predict_starts", STARTS | {"zeros": "b2 only"}, says="It should be one of")
wrong("predict_starts", list(STARTS.values()), says="It should be a dictionary")

# --- repair ---------------------------------------------------------------------------------------


@right("repair_loss")
def where_it_is_positive(x, labels, w1, b1, w2, b2):
    z = x @ w1 + b1
    return mg.cross_entropy(mg.where(z.value > 0, z, 0.0) @ w2 + b2, labels)


@right("repair_loss")
def by_hand(x, labels, w1, b1, w2, b2):
    scores = np.maximum(x @ w1 + b1, 0) @ w2 + b2
    truth = np.eye(b2.shape[0])[labels]
    return -mg.mean(mg.sum(truth * mg.log_softmax(scores), axis=1))


@right("repair_loss")
def backward_called_already(x, labels, w1, b1, w2, b2):
    loss = mg.cross_entropy(mg.relu(x @ w1 + b1) @ w2 + b2, labels)
    loss.backward()
    return loss


@wrong("repair_loss")
def second_bias_forgotten(x, labels, w1, b1, w2, b2):
    return mg.cross_entropy(mg.relu(x @ w1 + b1) @ w2 + 0 * b2, labels)


@wrong("repair_loss")
def summed_over_examples(x, labels, w1, b1, w2, b2):
    return mg.cross_entropy(mg.relu(x @ w1 + b1) @ w2 + b2, labels) * len(labels)


@wrong("repair_loss")
def scores_as_values(x, labels, w1, b1, w2, b2):
    scores = mg.relu(x @ w1 + b1) @ w2 + b2
    return mg.cross_entropy(scores.value, labels) + 0 * mg.sum(b2)


@wrong("repair_loss")
def sigmoid_units(x, labels, w1, b1, w2, b2):
    return mg.cross_entropy(mg.sigmoid(x @ w1 + b1) @ w2 + b2, labels)


@wrong("repair_loss")
def relu_before_the_bias(x, labels, w1, b1, w2, b2):
    return mg.cross_entropy((mg.relu(x @ w1) + b1) @ w2 + b2, labels)


@wrong("repair_loss", says="without the graph")
def a_number(x, labels, w1, b1, w2, b2):
    return by_hand(x, labels, w1, b1, w2, b2).value


@wrong("repair_loss", says="its shape is")
def scores_alone(x, labels, w1, b1, w2, b2):
    return mg.relu(x @ w1 + b1) @ w2 + b2


@wrong("repair_loss", hint="still outside the graph")
def values_made_variables(x, labels, w1, b1, w2, b2):
    hidden = mg.variable(np.maximum((x @ w1 + b1).value, 0))
    return mg.cross_entropy(hidden @ w2 + b2, labels)


@wrong("repair_loss", hint="scores cut off")
def relu_twice(x, labels, w1, b1, w2, b2):
    return mg.cross_entropy(mg.relu(mg.relu(x @ w1 + b1) @ w2 + b2), labels)
