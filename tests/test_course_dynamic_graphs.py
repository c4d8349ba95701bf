"""The exercises on dynamic graphs against PyTorch, which builds its graphs by running as well."""

import pytest
from late import package

from minigraph.course.attempt import expected
from minigraph.course.exercises import EXERCISES

torch = package("torch", reason="compares with PyTorch: pip install torch")


def leaf(number):
    return torch.tensor(number, dtype=torch.float64, requires_grad=True)


def newton(a, start, tolerance):
    x = start
    while abs(x**3 - a) > tolerance:
        x = x - (x**3 - a) / (3 * x**2)
    return x


def meaning(tree, words, wl, wr):
    if isinstance(tree, str):
        return words[tree]
    left, right = (meaning(part, words, wl, wr) for part in tree)
    return torch.tanh(wl * left + wr * right)


def truncated(xs, w, steps):
    past = max(len(xs) - steps, 0)
    h = torch.zeros((), dtype=torch.float64)
    with torch.no_grad():
        for x in xs[:past]:
            h = w * h + x
    for x in xs[past:]:
        h = w * h + x
    return h


def fallen(level, rate, limit):
    while level > limit:
        level = level - level * rate
    return level


def is_right(name, given, output, leaves):
    """Compare the value and the slopes that an exercise expects with PyTorch's."""
    if output.requires_grad:
        output.backward()
    slopes = {f"slope by {key}": 0.0 if x.grad is None else x.grad.item() for key, x in leaves}
    right = {"value": output.item(), **slopes}
    assert expected(EXERCISES[name], given) == pytest.approx(right, rel=1e-9, abs=1e-12), given


@pytest.mark.parametrize("seed", [0, 1])
def test_newtons_method_is_differentiated_as_torch_does_it(seed):
    for a, start, tolerance in EXERCISES["cube_root"].cases(seed):
        leaves = {"a": leaf(a), "start": leaf(start)}
        output = newton(*leaves.values(), tolerance)
        is_right("cube_root", (a, start, tolerance), output, leaves.items())


@pytest.mark.parametrize("seed", [0, 1])
def test_a_tree_is_read_as_torch_reads_it(seed):
    for tree, words, wl, wr in EXERCISES["read_tree"].cases(seed):
        table = {word: leaf(number) for word, number in words.items()}
        weights = {"wl": leaf(wl), "wr": leaf(wr)}
        output = meaning(tree, table, *weights.values())
        is_right("read_tree", (tree, words, wl, wr), output, (table | weights).items())


@pytest.mark.parametrize("seed", [0, 1])
def test_a_cut_gradient_is_that_of_torch_without_the_past(seed):
    for xs, w, steps in EXERCISES["last_state"].cases(seed):
        weight = leaf(w)
        is_right("last_state", (xs, w, steps), truncated(xs, weight, steps), [("w", weight)])


@pytest.mark.parametrize("seed", [0, 1])
def test_a_level_falls_as_in_torch(seed):
    for level, rate, limit in EXERCISES["fall_below"].cases(seed):
        leaves = {"level": leaf(level), "rate": leaf(rate)}
        output = fallen(*leaves.values(), limit)
        is_right("fall_below", (level, rate, limit), output, leaves.items())
