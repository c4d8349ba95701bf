"""The exercises on training, against PyTorch's optimizers and by what each mistake does."""

import itertools

import numpy as np
import pytest
from checks import cases_and_answers, said

from minigraph.course import attempt
from minigraph.course.exercises import EXERCISES
from minigraph.course.exercises import training as exercises
from minigraph.course.forms import WrongForm
from minigraph.errors import MinigraphError

# --- a step, as PyTorch takes it ------------------------------------------------------------------


def parameter(torch, value, gradient):
    p = torch.tensor(float(value), dtype=torch.float64, requires_grad=True)
    p.grad = None if gradient is None else torch.tensor(float(gradient), dtype=torch.float64)
    return p


@pytest.mark.parametrize("seed", [0, 1])
def test_a_step_of_descent_is_that_of_pytorch(torch, seed):
    for (weights, gradients, rate), new in cases_and_answers("sgd_step", seed):
        ps = [parameter(torch, w, g) for w, g in zip(weights, gradients)]
        if ps:
            torch.optim.SGD(ps, lr=rate).step()
        assert new == pytest.approx([p.item() for p in ps], rel=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_step_with_momentum_is_that_of_pytorch(torch, seed):
    for (w, v, g, rate, momentum), new in cases_and_answers("momentum_step", seed):
        p = parameter(torch, w, g)
        optimizer = torch.optim.SGD([p], lr=rate, momentum=momentum)
        optimizer.state[p]["momentum_buffer"] = torch.tensor(v, dtype=torch.float64)
        optimizer.step()
        velocity = optimizer.state[p]["momentum_buffer"].item() if momentum else g
        assert new == pytest.approx([p.item(), velocity], rel=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_step_of_adam_is_that_of_pytorch(torch, seed):
    for (w, m, v, g, t, rate), new in cases_and_answers("adam_step", seed):
        p = parameter(torch, w, g)
        optimizer = torch.optim.Adam([p], lr=rate)
        means = (torch.tensor(x, dtype=torch.float64) for x in (m, v))
        state = dict(zip(("exp_avg", "exp_avg_sq"), means), step=torch.tensor(t - 1.0))
        optimizer.state[p] = state
        optimizer.step()
        theirs = [p.item(), state["exp_avg"].item(), state["exp_avg_sq"].item()]
        assert new == pytest.approx(theirs, rel=1e-9)


# --- the four mistakes ----------------------------------------------------------------------------


def test_each_mistake_shows_as_the_task_says():
    named = EXERCISES["name_the_mistakes"]()
    assert sorted(named.values()) == sorted(exercises.MISTAKES)
    runs = {mistake: exercises.four_runs()[name] for name, mistake in named.items()}
    mixed, grown, piled, seen = (
        runs[mistake]
        for mistake in (
            "labels mixed up",
            "steps are part of the graph",
            "gradients are never forgotten",
            "test data in training",
        )
    )
    assert mixed.losses[-1] < mixed.losses[0] - 0.5
    assert max(mixed.accuracies) < 0.3
    assert [run.nodes[0] < run.nodes[-1] for run in (mixed, grown, piled, seen)] == [0, 1, 0, 0]
    assert {*np.diff(grown.nodes)} == {8}  # a product and a difference for each of four arrays
    assert grown.accuracies[-1] == pytest.approx(0.89, abs=0.03)
    assert seen.accuracies[-1] > grown.accuracies[-1] + 0.05
    assert max(np.diff(piled.losses)) > 3 * max(np.diff(seen.losses))
    assert 0.4 < piled.accuracies[-1] < 0.75


def test_the_curves_are_told_in_words_too():
    plot = exercises.draw_runs("nodes")
    assert "A: 19, 19, 19, 19; B: 19, 179, 339, 491" in plot.alt
    with pytest.raises(MinigraphError, match="losses, accuracies, nodes to draw, not 'loss'"):
        exercises.draw_runs("loss")


# --- digits within a budget -----------------------------------------------------------------------


def test_what_is_asked_is_the_loss_and_the_gradient_that_pytorch_computes(torch):
    x, y = (torch.tensor(part[:400]) for part in exercises._digits_of(3))
    weights = np.random.default_rng(0).normal(size=(65, 10))
    w = torch.tensor(weights, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(x @ w, y)
    theirs.backward()
    loss, g = exercises.asker(3)(weights)
    assert loss == pytest.approx(theirs.item(), rel=1e-12)
    assert g == pytest.approx(w.grad.numpy(), abs=1e-14)


def test_what_it_is_judged_by_is_not_what_it_learns_from():
    x, y = exercises._digits_of(7)
    learned, kept = x[:400], x[400:1100]
    assert len({*map(bytes, learned)} & {*map(bytes, kept)}) == 0
    assert len(x) == len(y) == 1437


@pytest.mark.parametrize("answer", [None, "weights", {}, [1, [2]], np.zeros((10, 65)), len, ...])
def test_what_are_no_weights_is_explained(answer):
    with pytest.raises(WrongForm, match=r"It should be an array of weights of shape \(65, 10\)"):
        EXERCISES["learn_digits"].form.read(answer, ())


def test_a_list_without_end_is_no_array_of_weights():
    class Bottomless(list):
        def __iter__(self):
            return itertools.count()

    with pytest.raises(WrongForm, match="It goes on after 1,000,000 items"):
        EXERCISES["learn_digits"].form.read(Bottomless(), ())


class Table:
    """What NumPy takes for an array, and who goes through it gets the names of its columns."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)

    def __iter__(self):
        return iter("abcdefghij")


@pytest.mark.parametrize("kind", [memoryview, Table, list, lambda x: tuple(map(tuple, x))])
def test_weights_are_read_from_whatever_numpy_takes_for_an_array(kind):
    weights = np.arange(650.0).reshape(65, 10)
    assert EXERCISES["learn_digits"].form.read(kind(weights), ()) == weights.tolist()


def test_weights_are_judged_without_a_training_of_the_references(monkeypatch):
    monkeypatch.setattr(attempt, "expected", lambda exercise, case: pytest.fail("trained"))
    exercise = EXERCISES["learn_digits"]
    tries = attempt.attempts(exercise, exercise.reference, exercise.cases(), 60)
    assert [tried.wrong for tried in tries] == [None] * 4
    assert attempt.attempts(exercise, lambda ask: np.zeros((65, 10)), [(0,)], 60)[0].wrong


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_wrong_and_break_nothing(value):
    assert "larger than at the start" in said("learn_digits", lambda ask: np.full((65, 10), value))
