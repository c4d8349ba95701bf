"""The repaired programs of lesson 14 against PyTorch, NumPy and formulas that need no program."""

import json
from pathlib import Path

import numpy as np
import pytest

from minigraph.course.attempt import expected
from minigraph.course.exercises import EXERCISES

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="pip install torch to compare with it")


def cases_of(name):
    return [case for seed in (0, 1) for case in EXERCISES[name].cases(seed)]


def is_right(name, case, *arrays):
    """Compare what an exercise expects with arrays that were computed elsewhere."""
    for plain, array in zip(expected(EXERCISES[name], case), arrays, strict=True):
        assert tuple(plain["shape"]) == np.shape(array), case
        np.testing.assert_allclose(plain["numbers"], np.ravel(array), rtol=1e-9, atol=1e-12)


def test_the_root_has_its_derivative_above_zero_and_none_elsewhere():
    for (x,) in cases_of("root_or_zero"):
        x = np.array(x)
        root = np.array([v**0.5 if v > 0 else 0.0 for v in x.flat]).reshape(x.shape)
        slope = np.array([0.5 * v**-0.5 if v > 0 else 0.0 for v in x.flat]).reshape(x.shape)
        is_right(
            "root_or_zero", (x.tolist(),), root, slope * np.arange(1, x.size + 1).reshape(x.shape)
        )


def test_gradients_are_clipped_as_torch_clips_them(torch):
    for weight, bias, limit in cases_of("clip_together"):
        parameters = [torch.zeros(np.shape(g), dtype=torch.float64) for g in (weight, bias)]
        for p, g in zip(parameters, (weight, bias)):
            p.grad = torch.tensor(g, dtype=torch.float64)
        if np.linalg.norm([*np.ravel(weight), *bias]) > limit > 1e-6:  # PyTorch adds 1e-6 to norms
            torch.nn.utils.clip_grad_norm_(parameters, limit)
            found = [
                np.array(x["numbers"])
                for x in expected(EXERCISES["clip_together"], (weight, bias, limit))
            ]
            for numbers, p in zip(found, parameters):
                np.testing.assert_allclose(numbers, p.grad.numpy().ravel(), rtol=1e-5)
        else:
            clipped = limit / max(limit, np.linalg.norm([*np.ravel(weight), *bias]))
            is_right(
                "clip_together",
                (weight, bias, limit),
                clipped * np.array(weight),
                clipped * np.array(bias),
            )


def test_all_layers_have_the_gradients_of_torch(torch):
    for x, weights in cases_of("deep_output"):
        leaves = {
            name: torch.tensor(number, dtype=torch.float64, requires_grad=True)
            for name, number in [("x", x), *((f"w{n}", w) for n, w in enumerate(weights, 1))]
        }
        h = leaves["x"]
        for n in range(1, len(weights) + 1):
            h = torch.add(h, torch.tanh(leaves[f"w{n}"] * h))
        h.backward()
        slopes = {f"slope by {name}": leaf.grad.item() for name, leaf in leaves.items()}
        right = pytest.approx({"value": h.item(), **slopes}, rel=1e-9, abs=1e-12)
        assert expected(EXERCISES["deep_output"], (x, weights)) == right


def test_the_loss_is_that_of_torch_for_targets_of_the_same_shape(torch):
    for x, w, t in cases_of("line_loss"):
        leaf = torch.tensor(w, dtype=torch.float64, requires_grad=True)
        predictions = (torch.tensor(x, dtype=torch.float64) @ leaf).squeeze(1)
        loss = torch.nn.functional.mse_loss(predictions, torch.tensor(t, dtype=torch.float64))
        loss.backward()
        is_right("line_loss", (x, w, t), loss.detach().numpy(), leaf.grad.numpy())


def test_the_slope_goes_where_the_optimizer_of_torch_takes_it(torch):
    for xs, ts, start, rate, steps in cases_of("fit_slope"):
        w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=rate)
        inputs, targets = (torch.tensor(a, dtype=torch.float64) for a in (xs, ts))
        path = []
        for _ in range(steps):
            optimizer.zero_grad()
            torch.mean((w * inputs - targets) ** 2).backward()
            optimizer.step()
            path.append(w.item())
        found = expected(EXERCISES["fit_slope"], (xs, ts, start, rate, steps))
        assert found == pytest.approx(path, rel=1e-9, abs=1e-12)


def test_the_way_down_a_bowl_is_a_power():
    for start, curvature, rate, steps in cases_of("way_down"):
        n = np.arange(steps + 1)[:, None]
        way = np.array(start) * (1 - 2 * rate * np.array(curvature)) ** n
        is_right("way_down", (start, curvature, rate, steps), way)


# --- what the programs are said to do -------------------------------------------------------------


def told(name):
    """What the broken program of an exercise prints in the solutions."""
    notebook = json.loads((ROOT / "solutions/solutions_14_debugging.ipynb").read_text("utf-8"))
    (cell,) = (c for c in notebook["cells"] if c["id"] == f"{name.replace('_', '-')}-broken")
    return "".join(cell["outputs"][0]["text"])


@pytest.mark.parametrize(
    ("name", "symptom"),
    [
        ("root_or_zero", "[2. 0. 0.] [0.25  nan  nan]"),  # values right, gradients NaN
        ("clip_together", "[[1. 1.]] [1.]"),  # as far along every axis
        ("deep_output", "gradients: None None None 0."),  # none but the last
        ("line_loss", "each prediction is right, and the loss is 5.33"),  # 2 · variance of 2, 4, 6
        ("fit_slope", "it should go to 2: [1.25, "),
        ("way_down", "and the start is [ 0.25 "),  # 2 · ½³, which is where it has ended
    ],
)
def test_a_broken_program_shows_its_symptom(name, symptom):
    assert symptom in told(name)
