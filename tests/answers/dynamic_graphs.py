"""Lesson 10."""

import numpy as np

import minigraph as mg

from . import right, wrong

# --- predict the number of operations -------------------------------------------------------------

COUNTS = {"loop": 3, "branch": 1, "turns": 8, "decision": 2, "powers": 3, "unused": 1}
right(
    "predict_operations",
    COUNTS,
    dict(reversed(COUNTS.items())),
    {case: float(count) for case, count in COUNTS.items()},
)
wrong(
    "predict_operations",
    dict.fromkeys(COUNTS, 1),
    COUNTS | {"loop": 4},
    COUNTS | {"decision": 1},
    COUNTS | {"powers": 2},
    COUNTS | {"turns": 16, "unused": 0},
)
wrong("predict_operations", COUNTS | {"unused": 2}, hint="what y does not need")

# --- Newton's method ------------------------------------------------------------------------------


@right("cube_root")
def with_powers(a, start, tolerance):
    x = start
    while abs((x**3 - a).value) > tolerance:
        x = x - (x**3 - a) / (3 * x**2)
    return x


@right("cube_root")
def brought_to_one_fraction(a, start, tolerance):
    x = start
    while not abs(x * x * x - a) <= tolerance:
        x = (2 * x * x * x + a) / (3 * x * x)
    return x


@right("cube_root")
def leaves_an_endless_loop(a, start, tolerance):
    x = start
    while True:
        error = x * x * x - a
        if -tolerance <= error.value <= tolerance:
            return x
        x = x - error / (3 * (x * x))


@wrong("cube_root", says="a number")
def a_plain_number(a, start, tolerance):
    return float(with_powers(a, start, tolerance).value)


@wrong("cube_root")
def begins_with_a(a, start, tolerance):
    return with_powers(a, a, tolerance)


@wrong("cube_root")
def the_size_only(a, start, tolerance):
    return abs(with_powers(a, start, tolerance))


@wrong("cube_root", hint="always the same number of turns")
def the_true_root(a, start, tolerance):
    return mg.sign(a) * abs(a) ** (1 / 3)


@wrong("cube_root")
def half_the_tolerance(a, start, tolerance):
    return with_powers(a, start, tolerance / 2)


@right("cube_root")
def calls_itself(a, start, tolerance):
    if np.abs(start.value**3 - a.value) <= tolerance:
        return start
    return calls_itself(a, start - (np.power(start, 3) - a) / (3 * np.square(start)), tolerance)


@wrong("cube_root")
def thirty_turns_at_most(a, start, tolerance):
    x = start
    for _ in range(30):
        if abs(x**3 - a) <= tolerance:
            break
        x = x - (x**3 - a) / (3 * x**2)
    return x


@wrong("cube_root")
def a_new_variable_in_each_turn(a, start, tolerance):
    x = start
    while abs(x**3 - a) > tolerance:
        x = mg.variable(x.value - (x.value**3 - a.value) / (3 * x.value**2))
    return x


@wrong("cube_root", says="returns None")
def nothing_returned(a, start, tolerance):
    with_powers(a, start, tolerance)


@wrong("cube_root", hint="a turn before the question")
def turns_first(a, start, tolerance):
    return with_powers(a, start - (start**3 - a) / (3 * start**2), tolerance)


# --- a network over trees -------------------------------------------------------------------------


@right("read_tree")
def with_an_inner_function(tree, words, wl, wr):
    def meaning(part):
        if part in words:
            return words[part]
        return mg.tanh(meaning(part[0]) * wl + meaning(part[1]) * wr)

    return meaning(tree)


@right("read_tree")
def in_parts(tree, words, wl, wr):
    if not isinstance(tree, tuple):
        return words[tree]
    meanings = [in_parts(part, words, wl, wr) for part in tree]
    return mg.tanh(sum(w * x for w, x in zip((wl, wr), meanings, strict=True)))


@right("read_tree")
def bent_by_exponentials(tree, words, wl, wr):
    if isinstance(tree, str):
        return words[tree]
    s = sum(w * bent_by_exponentials(x, words, wl, wr) for w, x in zip((wl, wr), tree, strict=True))
    return 1 - 2 / (mg.exp(2 * s) + 1)


@wrong("read_tree")
def another_bend(tree, words, wl, wr):
    if isinstance(tree, str):
        return words[tree]
    left, right = (another_bend(part, words, wl, wr) for part in tree)
    return mg.sigmoid(wl * left + wr * right)


@wrong("read_tree")
def a_bend_for_each_part(tree, words, wl, wr):
    if isinstance(tree, str):
        return words[tree]
    left, right = (a_bend_for_each_part(part, words, wl, wr) for part in tree)
    return wl * mg.tanh(left) + wr * mg.tanh(right)


@wrong("read_tree")
def left_part_only(tree, words, wl, wr):
    if isinstance(tree, str):
        return words[tree]
    return mg.tanh(wl * left_part_only(tree[0], words, wl, wr))


@wrong("read_tree")
def the_weights_in_turn(tree, words, wl, wr):
    if isinstance(tree, str):
        return words[tree]
    left, right = (the_weights_in_turn(part, words, wr, wl) for part in tree)
    return mg.tanh(wl * left + wr * right)


@wrong("read_tree", says="KeyError")
def pairs_of_words_only(tree, words, wl, wr):
    if isinstance(tree, str):
        return words[tree]
    return mg.tanh(wl * words[tree[0]] + wr * words[tree[1]])


@right("read_tree")
def by_the_form_of_the_data(tree, words, wl, wr):
    match tree:
        case str():
            return words[tree]
        case left, right:
            parts = [by_the_form_of_the_data(part, words, wl, wr) for part in (left, right)]
            return mg.tanh(mg.sum(mg.stack([wl, wr]) * mg.stack(parts)))


@wrong("read_tree", says="recursion")
def never_at_a_word(tree, words, wl, wr):
    return never_at_a_word(tree, words, wl, wr)


@wrong("read_tree", hint="left and right swapped")
def from_the_right(tree, words, wl, wr):
    return with_an_inner_function(tree, words, wr, wl)


# --- a gradient that is cut short -----------------------------------------------------------------


@right("last_state")
def in_two_loops(xs, w, steps):
    first = max(len(xs) - steps, 0)
    h = mg.constant(0.0)
    for x in xs[:first]:
        h = w * h + x
    h = h.detach()
    for x in xs[first:]:
        h = w * h + x
    return h


@right("last_state")
def counts_what_is_left(xs, w, steps):
    h = mg.constant(0.0)
    for left in range(len(xs), 0, -1):
        before = h if left < steps else mg.constant(h.value)
        h = xs[-left] + before * w
    return h


@right("last_state")
def detaches_the_weight(xs, w, steps):
    h = mg.constant(0.0)
    for n, x in enumerate(xs):
        weight = w if n >= len(xs) - steps else w.detach()
        h = weight * h + x
    return h


@wrong("last_state")
def the_last_numbers_backwards(xs, w, steps):
    return in_two_loops(xs[::-1], w, steps)


@wrong("last_state")
def weighs_the_number_too(xs, w, steps):
    h = mg.constant(0.0)
    for n, x in enumerate(xs):
        h = w * ((h.detach() if n == len(xs) - steps else h) + x)
    return h


@wrong("last_state")
def half_of_the_steps(xs, w, steps):
    return in_two_loops(xs, w, max(1, steps // 2))


@wrong("last_state")
def begins_with_the_first_number(xs, w, steps):
    return in_two_loops(xs[:1] * 2 + xs[1:], w, steps)


@wrong("last_state", says="a list")
def all_states(xs, w, steps):
    return [in_two_loops(xs[:n], w, steps) for n in range(len(xs))]


@wrong("last_state")
def cut_where_nothing_is_to_be_cut(xs, w, steps):
    h = mg.constant(0.0)
    for n, x in enumerate(xs):
        h = w * (h.detach() if n == abs(len(xs) - steps) else h) + x
    return h


@wrong("last_state")
def cut_after_the_step(xs, w, steps):
    h = mg.constant(0.0)
    for n, x in enumerate(xs):
        h = w * h + x
        h = h.detach() if n == len(xs) - steps else h
    return h


@wrong("last_state", says="It should be a Node")
def a_number_for_nothing(xs, w, steps):
    return in_two_loops(xs, w, steps) if xs else 0


@right("last_state")
def recorded_from_there_on(xs, w, steps):
    first = max(len(xs) - steps, 0)
    with mg.no_grad():
        h = last = in_two_loops(xs[:first], w, first + 1)
    for x in xs[first:]:
        last = w * last + x
    return last if xs else h


@wrong("last_state", hint="never cut")
def the_whole_past(xs, w, steps):
    return in_two_loops(xs, w, len(xs) + 1)


# --- repair ---------------------------------------------------------------------------------------


@right("fall_below")
def subtracts_the_share(level, rate, limit):
    while level > limit:
        level = level - level * rate
    return level


@right("fall_below")
def what_is_kept(level, rate, limit):
    kept = 1 - rate
    while not level.value <= limit:
        level = kept * level
    return level


@right("fall_below")
def counts_the_hours(level, rate, limit):
    hours, now = 0, level.value
    while now > limit:
        now, hours = now * (1 - rate.value), hours + 1
    return level * (1 - rate) ** hours if hours else level


@wrong("fall_below")
def rises(level, rate, limit):
    return level * (1 + rate) if level > limit else level


@wrong("fall_below")
def to_the_limit(level, rate, limit):
    return mg.minimum(level, limit)


@wrong("fall_below")
def the_share_itself(level, rate, limit):
    while level > limit:
        level = level * rate
    return level


@wrong("fall_below")
def two_hours_in_each_turn(level, rate, limit):
    while level > limit:
        level = level * (1 - rate) * (1 - rate)
    return level


@wrong("fall_below", says="a Node")
def a_number(level, rate, limit):
    return what_is_kept(level, rate, limit).value


@wrong("fall_below")
def takes_the_rate_itself(level, rate, limit):
    while level > limit:
        level = level - rate
    return level


@wrong("fall_below", says="was stopped", takes_long=True)
def the_new_level_is_not_kept(level, rate, limit):
    while level > limit:
        level * (1 - rate)
    return level


@wrong("fall_below", hint="the rate still leaves")
def mended_by_half(level, rate, limit):
    return what_is_kept(level, rate.detach(), limit)
