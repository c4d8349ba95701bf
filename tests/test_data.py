"""Data sets: what they hold, by published figures, and which questions they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigraph as mg
from minigraph import data
from minigraph.data.real import FILES

TOYS = (data.moons, data.circles, data.spirals, data.xor)


def rng():
    return np.random.default_rng(7)


def both(d):
    return np.concatenate([d.train.x, d.test.x]), np.concatenate([d.train.y, d.test.y])


# --- real data ------------------------------------------------------------------------------------


def test_the_digits_are_those_of_the_repository():
    """Counts by class as the repository's own description of the test set gives them."""
    d = data.digits()
    x, y = both(d)
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (d.train.x.shape, d.test.x.shape) == ((1437, 64), (360, 64))
    assert (x.min(), x.max()) == (0, 1)
    assert set(np.unique(x * 16)) == set(range(17))


def test_a_digit_looks_like_itself():
    """The mean zero has a hole in the middle, and the mean one has none."""
    x, y = both(data.digits())
    zero, one = (x[y == k].mean(axis=0).reshape(8, 8) for k in (0, 1))
    assert zero[3:5, 3:5].max() < 0.2 < 0.6 < one[3:5, 3:5].min()


def test_the_penguins_are_those_that_were_published():
    """Means and counts as the summary of the palmerpenguins data prints them."""
    d = data.penguins()
    x, y = both(d)
    assert dict(zip(d.classes, np.bincount(y).tolist())) == {
        "Adelie": 151,
        "Chinstrap": 68,
        "Gentoo": 123,
    }
    assert x.mean(axis=0) == pytest.approx([43.92193, 17.15117, 200.91520, 4201.75439], rel=1e-7)
    assert len(d.features) == x.shape[1]


def test_the_book_begins_and_ends_as_printed():
    a = data.alice(length=40)
    begin, end = a.decode(a.train.x[:6]), a.decode(a.test.y[-3:])
    assert begin.startswith("ALICE'S ADVENTURES IN WONDERLAND\n\nLewis Carroll")
    assert "simple joys" in end
    assert a.encode("Alice").tolist() == [a.characters.index(c) for c in "Alice"]
    assert a.classes == tuple(a.characters)


@pytest.mark.parametrize("length", [1, 7, 100])
def test_each_character_of_the_book_is_followed_by_that_of_y(length):
    a = data.alice(length)
    for part in (a.train, a.test):
        text = part.x.ravel()
        assert np.array_equal(part.y.ravel()[:-1], text[1:])
        assert part.x.shape == part.y.shape == (len(part), length)
    seam = a.train.y[-1, -1], a.test.x[0, 0]
    assert seam[0] == seam[1]
    assert len(a.test) == (len(a.train) + len(a.test)) // 10  # the last tenth


@pytest.mark.parametrize("make", [data.digits, data.penguins, data.alice])
def test_real_data_say_where_they_come_from(make):
    d = make()
    assert d.source
    assert d.licence
    assert "19" in d.citation or "18" in d.citation or "20" in d.citation
    assert (FILES / f"{d.name}.npz").exists()


def test_the_files_are_small():
    assert sum(path.stat().st_size for path in FILES.iterdir()) < 300_000


# --- toy data -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", TOYS)
@given(st.integers(8, 90))
def test_toy_data_have_the_points_that_were_asked_for(make, points):
    d = make(rng(), points)
    x, y = both(d)
    assert x.shape == (points, 2)
    assert abs(np.bincount(y, minlength=2) - points / 2).max() <= 0.5
    assert len(d.test) == points // 4
    again = both(make(rng(), points))
    assert np.array_equal(x, again[0])
    assert np.array_equal(y, again[1])


@pytest.mark.parametrize("make", TOYS)
def test_the_classes_of_toy_points_come_in_a_random_order(make):
    first, again, other = (
        make(np.random.default_rng(seed), points=80).train.y for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    runs = 1 + np.count_nonzero(np.diff(first))  # of one class; about half as many as points
    assert 20 < runs < 40


def test_without_noise_toy_points_lie_on_their_curves():
    x, y = both(data.moons(rng(), 100, noise=0))
    centre = np.where(y[:, None] == 0, [0, 0], [1, 0.5])
    assert np.hypot(*(x - centre).T) == pytest.approx(1)
    assert np.all((x - centre)[:, 1] * (1 - 2 * y) >= -1e-12)
    x, y = both(data.circles(rng(), 100, noise=0))
    assert np.hypot(*x.T) == pytest.approx(1 - y / 2)
    x, y = both(data.spirals(rng(), 100, noise=0, turns=2))
    radius = np.hypot(*x.T)
    turned = np.arctan2(x[:, 1], x[:, 0]) - 2 * np.pi * 2 * radius - np.pi * y
    assert np.cos(turned) == pytest.approx(1)
    x, y = both(data.xor(rng(), 100))
    assert np.array_equal((x[:, 0] > 0) ^ (x[:, 1] > 0), y == 1)
    assert np.all(np.abs(x) < 1)


def test_noise_is_the_standard_deviation_of_what_is_added():
    noisy, _ = both(data.circles(rng(), 40_000, noise=0.25))
    plain, _ = both(data.circles(rng(), 40_000, noise=0))
    assert (noisy - plain).std(axis=0) == pytest.approx(0.25, rel=0.02)


# --- batches --------------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 40))
def test_batches_hold_every_example_once(examples, size):
    part = data.Split(np.arange(examples), -np.arange(examples))
    if size > examples:
        with pytest.raises(mg.SettingError, match=f"larger than the data, which have {examples} "):
            part.batches(size)
        return
    batches = [*part.batches(size, rng())]
    assert [len(x) for x, _ in batches[:-1]] == [size] * (len(batches) - 1)
    assert all(np.array_equal(x, -y) for x, y in batches)
    assert sorted(np.concatenate([x for x, _ in batches])) == [*range(examples)]
    assert [*np.concatenate([x for x, _ in part.batches(size)])] == [*range(examples)]


def test_the_generator_shuffles_anew_each_time():
    part, generator = data.digits().test, rng()
    (first, _), *_ = part.batches(8, generator)
    (second, _), *_ = part.batches(8, generator)
    assert not np.array_equal(first, second)
    (again, _), *_ = part.batches(8, rng())
    assert np.array_equal(first, again)


def test_columns_are_standardized_by_what_is_trained_on():
    d = data.penguins().standardized()
    assert d.train.x.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert d.train.x.std(axis=0) == pytest.approx(1)
    assert d.test.x.mean(axis=0) != pytest.approx(0, abs=1e-6)
    blank = data.digits().standardized()  # where some pixels are white in all images
    assert np.isfinite(blank.test.x).all()


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((0, 3)), np.zeros(0), r"no example in x of shape \(0, 3\)"),
        (np.zeros((4, 3)), np.zeros(5), "their first axes must have the same size"),
        (np.float64(3), np.zeros(1), "no pairs of examples"),
    ],
)
def test_examples_without_a_partner_are_refused(x, y, message):
    with pytest.raises(mg.ShapeError, match=message):
        data.Split(x, y)


@pytest.mark.parametrize(
    ("x", "y", "which"),
    [
        ([[1.0], [1.0, 2.0]], [0, 1], "x"),
        ([[1.0], [2.0]], [[0], [1, 1]], "y"),
        ([np.zeros((2, 3)), np.zeros((2, 4))], [0, 1], "x"),
    ],
)
def test_rows_of_different_lengths_are_refused(x, y, which):
    with pytest.raises(mg.ShapeError, match=f"{which} is no array: its rows have different"):
        data.Split(x, y)


@pytest.mark.parametrize("number", [np.float32(0.5), np.float64(0.5), np.int64(1), 1])
def test_settings_of_toy_data_may_be_numbers_of_numpy(number):
    plain = data.spirals(rng(), 20, noise=float(number), turns=float(number))
    assert data.spirals(rng(), 20, noise=number, turns=number).train.x == pytest.approx(
        plain.train.x, rel=1e-12
    )


@pytest.mark.parametrize("text", [None, 3, ["a"], b"a"])
def test_only_a_text_is_encoded(text):
    with pytest.raises(mg.NodeTypeError, match=f"a text is a string, not {type(text).__name__}"):
        data.alice().encode(text)


@pytest.mark.parametrize(
    ("codes", "error", "message"),
    [
        ([0, 72], mg.SettingError, "72 is none of the numbers 0 to 71"),
        ([-1], mg.SettingError, "-1 is none of the numbers 0 to 71"),
        ([[1, 2], [999, 0]], mg.SettingError, "999 is none"),
        ([1.0], mg.NodeTypeError, "codes are whole numbers, not float64"),
        (None, mg.NodeTypeError, "codes are whole numbers, not object"),
        ("abc", mg.NodeTypeError, "codes are whole numbers, not <U3"),
        ([[1], [1, 2]], mg.ShapeError, "codes is no array"),
    ],
)
def test_only_numbers_of_characters_are_decoded(codes, error, message):
    with pytest.raises(error, match=message):
        data.alice().decode(codes)
    assert data.alice().decode([]) == ""


@pytest.mark.parametrize("size", [0, -3, 2.5, True, None, "8"])
def test_a_batch_has_a_whole_number_of_examples(size):
    with pytest.raises(mg.SettingError, match="the size of a batch is a whole number from 1 up"):
        data.digits().train.batches(size)


def test_what_is_no_number_or_no_generator_is_refused():
    with pytest.raises(mg.NodeTypeError, match="y holds real numbers, not <U3"):
        data.Split([[1.0]], ["one"])
    for generator in (0, np.random, np.random.RandomState(0)):
        with pytest.raises(mg.NodeTypeError, match="come from a generator such as"):
            data.moons(generator)
        with pytest.raises(mg.NodeTypeError, match="come from a generator such as"):
            data.digits().train.batches(4, generator)


@pytest.mark.parametrize("make", TOYS)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"points": 7}, "a whole number from 8 up, not 7"),
        ({"points": 20.0}, "a whole number from 8 up, not 20.0"),
        ({"noise": -0.1}, "from 0 up, not -0.1"),
        ({"noise": float("nan")}, "from 0 up, not nan"),
        ({"noise": "a little"}, "from 0 up, not 'a little'"),
        ({"noise": True}, "from 0 up, not True"),
    ],
)
def test_toy_data_refuse_what_cannot_be_drawn(make, options, message):
    with pytest.raises(mg.SettingError, match=message):
        make(rng(), **options)


@pytest.mark.parametrize("turns", [0, -1, float("inf"), float("nan"), "a", None, True])
def test_a_spiral_has_turns(turns):
    with pytest.raises(mg.SettingError, match="more than 0 turns"):
        data.spirals(rng(), turns=turns)


def test_the_book_refuses_pieces_and_characters_that_it_has_not():
    with pytest.raises(mg.SettingError, match="pieces of 50,000 characters are too long"):
        data.alice(50_000)
    with pytest.raises(mg.SettingError, match="the length of a piece is a whole number"):
        data.alice(0)
    with pytest.raises(mg.SettingError, match="'é' is none of the 72 characters of alice"):
        data.alice().encode("é")
