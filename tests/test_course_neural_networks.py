"""The exercises on neural networks against PyTorch, and the form of an answer that is a loss."""

from itertools import pairwise

import numpy as np
import pytest
from late import package

import minigraph as mg
from minigraph.course import CheckFailed, check
from minigraph.course.attempt import expected
from minigraph.course.exercises import EXERCISES
from minigraph.course.exercises.neural_networks import Loss
from minigraph.course.forms import WrongForm

torch = package("torch", reason="compares with PyTorch: pip install torch")
LOSS = Loss()


def tensor(numbers, learned=False):
    return torch.tensor(numbers, dtype=torch.float64, requires_grad=learned)


def array_of(plain):
    return np.array(plain[0]["numbers"]).reshape(plain[0]["shape"])


@pytest.mark.parametrize("seed", [0, 1])
def test_parameters_are_counted_as_torch_has_them(seed):
    for sizes, bias in EXERCISES["count_parameters"].cases(seed):
        layers = [torch.nn.Linear(*pair, bias=bias) for pair in pairwise(sizes)]
        count = sum(p.numel() for layer in layers for p in layer.parameters())
        assert expected(EXERCISES["count_parameters"], (sizes, bias)) == count


@pytest.mark.parametrize("seed", [0, 1])
def test_a_layer_is_that_of_torch(seed):
    for x, weight, bias in EXERCISES["dense"].cases(seed):
        if x:
            right = torch.nn.functional.linear(tensor(x), tensor(weight), tensor(bias))
            mine = array_of(expected(EXERCISES["dense"], (x, weight, bias)))
            np.testing.assert_allclose(mine, right, rtol=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_network_is_that_of_torch(seed):
    for x, layers in EXERCISES["mlp"].cases(seed):
        h = tensor(x)
        for n, (weight, bias) in enumerate(layers):
            h = torch.nn.functional.linear(
                h if n == 0 else torch.relu(h), *map(tensor, (weight, bias))
            )
        np.testing.assert_allclose(array_of(expected(EXERCISES["mlp"], (x, layers))), h, rtol=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_cross_entropy_is_that_of_torch(seed):
    for scores, labels in EXERCISES["cross_entropy"].cases(seed):
        right = torch.nn.functional.cross_entropy(tensor(scores), torch.tensor(labels)).item()
        mine = expected(EXERCISES["cross_entropy"], (scores, labels))
        assert mine == pytest.approx(right, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_loss_and_its_gradients_are_those_of_torch(seed):
    for x, labels, *parameters in EXERCISES["repair_loss"].cases(seed):
        w1, b1, w2, b2 = tensors = [tensor(p, learned=True) for p in parameters]
        scores = torch.relu(tensor(x) @ w1 + b1) @ w2 + b2
        loss = torch.nn.functional.cross_entropy(scores, torch.tensor(labels))
        loss.backward()
        mine = expected(EXERCISES["repair_loss"], (x, labels, *parameters))
        assert mine["loss"] == pytest.approx(loss.item())
        for right, gradient in zip(tensors, mine["gradients"].values(), strict=True):
            np.testing.assert_allclose(gradient, right.grad, atol=1e-12)


def test_predicted_starts_are_those_of_torch():
    rng = np.random.default_rng(0)
    x, labels = tensor(rng.normal(size=(8, 2))), torch.tensor([0, 1] * 4)
    shapes = {"w1": (2, 3), "b1": (3,), "w2": (3, 2), "b2": (2,)}

    def told(bend, **fixed):
        """Which gradients there are, in the words of the exercise."""
        start = {k: rng.normal(size=s) for k, s in shapes.items()}
        start |= {k: np.full(shapes[k], value) for k, value in fixed.items()}
        w1, b1, w2, b2 = (tensor(start[k], learned=True) for k in shapes)
        scores = bend(x @ w1 + b1) @ w2 + b2
        torch.nn.functional.cross_entropy(scores, labels).backward()
        flows = bool(w1.grad.abs().max() > 1e-12), bool(w2.grad.abs().max() > 1e-12)
        if flows != (True, True):
            return {(False, False): "neither", (True, False): "w1 only"}.get(flows, "w2 only")
        alike = torch.allclose(w1.grad, w1.grad[:, :1].expand(-1, 3))
        return "both, all units alike" if alike else "both, each unit its own"

    assert EXERCISES["predict_starts"].reference({}) == {
        "zeros": told(torch.tanh, **dict.fromkeys(shapes, 0.0)),
        "w2 zero": told(torch.tanh, w2=0.0),
        "w1 zero": told(torch.tanh, w1=0.0, b1=0.0),
        "halves": told(torch.tanh, w1=0.5, b1=0.5, w2=[0.5, -0.5], b2=0.5),
        "random": told(torch.tanh),
        "far down": told(torch.relu, b1=-100.0),
    }


# --- the form of a loss ---------------------------------------------------------------------------


def test_what_a_gradient_does_not_reach_is_named_first():
    w, v = mg.variable(2.0, name="w"), mg.variable(3.0, name="v")
    mine = LOSS.read(w * w, (w, v))
    assert mine == {"loss": 4.0, "gradients": {"w": 4.0, "v": None}}
    right = LOSS.read(w * v, (w, v))
    assert LOSS.difference(mine, right, ()).text == "No gradient reaches v."
    assert not LOSS.alike(mine, right)
    assert LOSS.alike(mine, LOSS.read(w * w, (w, v)))


def test_a_wrong_loss_and_a_wrong_gradient_are_told_apart():
    w = mg.variable(2.0, name="w")
    right = LOSS.read(w * w, (w,))
    assert (
        "The loss is not right: yours is 5"
        in LOSS.difference(LOSS.read(w + 3, (w,)), right, ()).text
    )
    assert "the gradient of w" in LOSS.difference(LOSS.read(w + 2, (w,)), right, ()).text
    assert LOSS.difference(LOSS.read(2 * w + w * w - 2 * w, (w,)), right, ()) is None


def test_a_loss_without_any_variable_is_read():
    w = mg.variable(2.0, name="w")
    read = LOSS.read(mg.constant(1.0), (w,))
    assert read["gradients"] == {"w": None}
    assert "gradient of w: none" in LOSS.show(read)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (2.0, "without the graph"),
        (np.ones(2), "without the graph"),
        (None, "None"),
        ("x", "a text"),
    ],
)
def test_what_is_no_loss_is_told_by_its_kind(answer, word):
    with pytest.raises(WrongForm, match=word):
        LOSS.read(answer, ())


def test_the_broken_network_is_told_by_its_own_hint():
    def handed_out(x, labels, w1, b1, w2, b2):
        hidden = np.maximum((x @ w1 + b1).value, 0)
        return mg.cross_entropy(mg.relu(hidden @ w2 + b2), labels)

    with pytest.raises(CheckFailed) as caught:
        check("repair_loss", handed_out)
    assert caught.value.key == "as it was handed out"


@pytest.mark.parametrize("name", ["dense", "mlp", "repair_loss"])
def test_a_failing_input_is_shown_as_code_that_gives_the_same_answer(name):
    exercise = EXERCISES[name]
    for case in exercise.cases()[:4]:
        names: dict = {}
        exec(exercise.as_code(*case), names)
        given = tuple(names[x] for x in exercise.parameters)
        read = exercise.form.read(exercise.reference(*given), given)
        assert exercise.form.difference(read, expected(exercise, case), case) is None
