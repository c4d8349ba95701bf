"""How `check` runs an answer: what it stops, notices, puts back and accepts."""

import collections
import dataclasses
import decimal
import fractions
import functools
import itertools
import operator
import os
import random
import signal
import sys
import threading
import time

import numpy as np
import pytest
from checks import failure, said

import minigraph as mg
from minigraph.core.node import surroundings
from minigraph.course import attempt, check, checking
from minigraph.course.attempt import attempts, careful_attempts, short
from minigraph.course.diagnosis import misconception_behind
from minigraph.course.exercises import EXERCISES
from minigraph.course.remembering import fingerprint
from minigraph.course.specification import Misconception
from minigraph.course.unchanged import Kept

pytestmark = pytest.mark.usefixtures("rehearsed")
RIGHT_ORDER = EXERCISES["topological_order"].reference
FORWARD = EXERCISES["forward"].reference
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs a process of its own")


def as_exercise(monkeypatch, cases, reference, **changes):
    """An exercise of one parameter whose answer is a number."""
    exercise = dataclasses.replace(
        EXERCISES["factor_paths"],
        arguments=lambda rng: [(case,) for case in cases],
        parameters=("x",),
        reference=reference,
        as_code=lambda x: f"x = {x!r}",
        misconceptions=(),
        **changes,
    )
    monkeypatch.setitem(EXERCISES, exercise.name, exercise)
    return exercise


# --- what does not come back ----------------------------------------------------------------------


def for_ever_in_c(*given):
    collections.deque(itertools.count(), maxlen=0)


@on_linux
def test_a_call_without_end_inside_c_is_stopped(monkeypatch):
    monkeypatch.setattr(checking, "SECONDS", 0.3)
    assert "stopped after 0.3 seconds" in said("factor_paths", lambda stages: for_ever_in_c())
    check("factor_paths", EXERCISES["factor_paths"].reference)


@on_linux
@pytest.mark.parametrize("in_main_thread", [True, False])
def test_memory_is_limited_and_the_limit_is_put_back(in_main_thread):
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    found = []
    target = lambda: found.append(said("forward", lambda g, i: bytearray(3 * 2**30)))  # noqa: E731
    if in_main_thread:
        target()
    else:
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    assert "This took more than 1 GB of memory, and was stopped." in found[0]
    assert resource.getrlimit(resource.RLIMIT_AS) == before


@on_linux
@pytest.mark.parametrize("end", [lambda: os._exit(0), lambda: os.kill(os.getpid(), signal.SIGSEGV)])
def test_what_ends_python_ends_only_the_rehearsal(end):
    assert "Your function ended Python itself" in said("forward", lambda g, i: end())


@on_linux
def test_a_child_that_only_waits_says_nothing(monkeypatch):
    monkeypatch.setattr(attempt, "LARGE", 10)
    here = os.getpid()
    waits_elsewhere = lambda x: time.sleep(30) if os.getpid() != here else x  # noqa: E731
    exercise = as_exercise(monkeypatch, [2.0, 3.0], lambda x: x)
    found = careful_attempts(exercise, waits_elsewhere, exercise.cases(), 0.5)
    assert [a.wrong for a in found] == [None, None]


def compute(seconds):
    begun = time.process_time()
    while time.process_time() < begun + seconds:
        pass


def test_what_will_not_end_in_time_is_not_begun(monkeypatch):
    monkeypatch.setattr(attempt, "rehearse", lambda *args: None)
    cases = [[1.0] * 2, [1.0] * 20, [1.0] * 50_000]
    exercise = as_exercise(monkeypatch, cases, sum)
    tried = []

    def slow(x):
        tried.append(len(x))
        compute(len(x) / 200)
        return sum(x)

    *_, last = careful_attempts(exercise, slow, exercise.cases(), 10.0)
    assert tried == [2, 20, 20]
    assert last.stopped
    assert "would take longer than 10 seconds" in last.wrong.text
    assert "It was right for small inputs" in last.wrong.text


def test_a_slow_start_is_no_reason_to_give_up(monkeypatch):
    monkeypatch.setattr(attempt, "rehearse", lambda *args: None)
    exercise = as_exercise(monkeypatch, [[1.0] * 2, [1.0] * 50_000], sum)
    tried = []

    def slow_at_first(x):
        compute(0.0 if tried else 0.1)
        tried.append(len(x))
        return sum(x)

    found = careful_attempts(exercise, slow_at_first, exercise.cases(), 10.0)
    assert not any(a.wrong for a in found)
    assert tried == [2, 2, 50_000]


# --- what is put back -----------------------------------------------------------------------------


@pytest.mark.parametrize("is_rehearsed", [True, False])
def test_an_answer_that_is_stopped_leaves_no_scope_and_no_switch(monkeypatch, is_rehearsed):
    monkeypatch.setattr(checking, "SECONDS", 0.2)
    if not is_rehearsed:
        monkeypatch.setattr(attempt, "rehearse", lambda *args: None)

    def forward(graph, inputs):
        with mg.scope("mine"), mg.no_grad():
            while True:
                pass

    before = surroundings.get()
    for _ in range(3):
        assert "Look for a loop that never ends" in said("forward", forward)
        assert surroundings.get() == before
    monkeypatch.setattr(checking, "SECONDS", 4.0)
    check("topological_order", RIGHT_ORDER)


def test_a_scope_that_is_entered_and_never_left_ends_with_the_call():
    found, entered = set(), []

    def topological_order(output):
        found.add(surroundings.get())
        entered.extend([mg.scope("mine"), mg.no_grad()])  # what is forgotten would end by itself
        for context in entered[-2:]:
            context.__enter__()
        return RIGHT_ORDER(output)

    before = surroundings.get()
    check("topological_order", topological_order)
    assert surroundings.get() == before
    assert found == {before}


def test_what_surrounds_check_does_not_count():
    with mg.scope("outer"), mg.no_grad():
        check("topological_order", RIGHT_ORDER)
        check("build_quotient", EXERCISES["build_quotient"].reference)
        check("leave_gradients", EXERCISES["leave_gradients"].reference)


@pytest.mark.filterwarnings("error")
def test_a_warning_is_no_error():
    def forward(graph, inputs):
        np.log(np.zeros(2))
        return FORWARD(graph, inputs)

    check("forward", forward)


def test_interrupt_of_the_user_goes_through(monkeypatch):
    monkeypatch.setattr(attempt, "rehearse", lambda *args: None)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        check("forward", lambda graph, inputs: signal.raise_signal(signal.SIGINT))
    assert signal.getsignal(signal.SIGINT) is handler


@on_linux
def test_interrupt_stops_what_no_alarm_could_stop(monkeypatch):
    monkeypatch.setattr(checking, "SECONDS", 60.0)
    main = threading.main_thread().ident
    timer = threading.Timer(0.5, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        check("factor_paths", lambda stages: for_ever_in_c())


def test_an_exception_of_that_name_is_the_students():
    def forward(graph, inputs):
        raise KeyboardInterrupt

    assert "Your function raised KeyboardInterrupt" in said("forward", forward)


def test_a_dictionary_is_shown_in_the_order_in_which_it_was_written():
    assert short({"b": 1, "a": (2,), "c": {}}) == "{'b': 1, 'a': (2,), 'c': {}}"
    assert short(dict.fromkeys(range(20, 0, -1))).endswith("10: None, 9: None, ...}")


def test_another_order_of_a_dictionary_is_a_change():
    def forward(graph, inputs):
        first = next(iter(graph))
        graph[first] = graph.pop(first)
        return FORWARD(inputs=inputs, graph=dict(sorted(graph.items())))

    monotone = {"u": ("+", "a", "b"), "v": ("*", "u", "a")}
    exercise = dataclasses.replace(
        EXERCISES["forward"], arguments=lambda rng: [(monotone, {"a": 2.0, "b": 3.0})]
    )
    (found,) = attempts(exercise, forward, exercise.cases(), 10)
    assert "your function changes graph" in found.wrong.text


def tangled():
    """A list that holds Nodes, arrays, pairs, sets, what is not a number, and itself."""
    values = [mg.variable(2.0), np.array([1.0, np.nan]), (np.arange(3), {"w": [0.5, np.nan]})]
    values += [{1, "two"}, {"a": mg.constant([1.0, 2.0]), "b": True}, values]
    return values


TOUCHES = {
    "another Node of the same value": lambda it: it.__setitem__(0, mg.variable(2.0)),
    "an element of an array": lambda it: it[1].__setitem__(0, 1.5),
    "an array of another type": lambda it: it.__setitem__(1, it[1].astype(np.float32)),
    "an array in a pair": lambda it: it[2][0].fill(7),
    "an array of another shape": lambda it: it.__setitem__(2, (it[2][0][None], it[2][1])),
    "a list in a dictionary in a pair": lambda it: it[2][1]["w"].append(1.0),
    "a number that is one": lambda it: it[4].update(b=1),
    "a name more": lambda it: it[4].update(c=None),
    "a set": lambda it: it[3].add(3),
    "a copy of itself": lambda it: it.__setitem__(5, [*it[:5], None]),
    "an end": lambda it: it.pop(),
}


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES)
def test_whatever_changes_inside_an_argument_is_noticed(touch):
    value = tangled()
    kept = Kept(value)
    assert kept.is_unchanged()
    touch(value)
    assert not kept.is_unchanged()


def test_what_is_as_it_was_counts_as_unchanged():
    value = tangled()
    kept = Kept(value)
    value[1] = value[1].copy()
    value[2] = (value[2][0].copy(), {"w": [0.5, float("nan")]})
    value[4] = dict(value[4])
    value[3].add(1)
    assert kept.is_unchanged()
    deep = inner = []
    for _ in range(10_000):
        inner.append([])
        inner = inner[0]
    kept = Kept(deep)
    assert kept.is_unchanged()
    inner.append(1)
    assert not kept.is_unchanged()


def test_arguments_that_hold_nodes_and_arrays_are_not_changed():
    def read_tree(tree, words, wl, wr):
        node = EXERCISES["read_tree"].reference(tree, words, wl, wr)
        words["new"] = wl
        return node

    def mlp(x, layers):
        scores = EXERCISES["mlp"].reference(x, layers)
        layers[-1] = tuple(array.astype(np.float32) for array in layers[-1])
        return scores

    assert "your function changes words" in said("read_tree", read_tree)
    assert "your function changes layers" in said("mlp", mlp)


# --- where it happened ----------------------------------------------------------------------------


def test_only_lines_of_ones_own_are_told():
    text = said("distance", lambda x, y: mg.variable("three"))
    assert "line" in text
    assert "test_course_conduct" not in text
    assert " of variable" not in text
    assert " of checked_value" not in text
    for function in (json_fails, functools.partial(json_fails)):
        text = said("forward", function)
        assert "return json.loads(graph)" in text
        assert " of loads" not in text


def json_fails(graph, inputs):
    import json

    return json.loads(graph)


def test_a_line_is_found_where_there_is_no_file():
    names: dict = {}
    exec(
        "def helper(x):\n    return x.y\n\ndef forward(graph, inputs):\n    return helper(graph)",
        names,
    )
    assert "line 2 of helper" in said("forward", names["forward"])


def test_a_decorator_without_its_parentheses_is_found():
    @mg.custom
    def distance(x, y):
        return np.hypot(x, y)

    text = said("distance", distance)
    assert "lack its parentheses, as in `@mg.custom(...)`" in text
    assert "first line" not in text


@pytest.mark.parametrize("text", [";", "\n;\n", " ; ; "])
def test_lines_without_anything_are_told(text):
    assert "no line in it that computes something" in said("single_steps", text)


def test_inputs_are_shown_even_where_nobody_has_said_how(monkeypatch):
    exercise = dataclasses.replace(EXERCISES["forward"], as_code=checking.no_code)
    monkeypatch.setitem(EXERCISES, "forward", exercise)
    text = said("forward", lambda graph, inputs: {})
    assert "For this input graph = {'y': ('*', 'x', 'x')} inputs = {'x': 3.0}" in text


# --- what is remembered ---------------------------------------------------------------------------


def with_a_default(users, source, target, found={}):  # noqa: B006
    if source == target:
        return 1
    if source not in found:
        found[source] = sum(with_a_default(users, x, target) for x in users[source])
    return found[source]


KNOWN: dict = {}
total = 0


def with_a_global(users, source, target):
    if source == target:
        return 1
    if source not in KNOWN:
        KNOWN[source] = sum(with_a_global(users, x, target) for x in users[source])
    return KNOWN[source]


def with_a_total(users, source, target):
    global total
    total += EXERCISES["count_paths"].reference(users, source, target)
    return total


@functools.lru_cache
def remembered(source, target):
    return current[0]()


current: list = [None]


def with_a_cached_helper(users, source, target):
    current[0] = lambda: EXERCISES["count_paths"].reference(users, source, target)
    return remembered(source, target)


@pytest.mark.parametrize(
    ("function", "place"),
    [
        (with_a_default, "`found` is a default argument: made once"),
        (with_a_global, "`KNOWN` is made outside of your function"),
        (with_a_total, "`total` is global"),
        (with_a_cached_helper, "The cache of `remembered` keeps the answers of earlier calls."),
    ],
)
def test_what_is_remembered_is_named(function, place):
    for _ in range(2):  # also when it has been called before
        text = said("count_paths", function)
        assert "On its own your function answers this input rightly." in text
        assert place in text


def test_a_second_answer_is_noticed_even_if_all_first_ones_are_right(monkeypatch):
    exercise = as_exercise(monkeypatch, [2.0, 3.0], lambda x: x)
    seen = set()

    def forgets(x):
        again = x in seen
        seen.add(x)
        return x + again

    seen.clear()
    assert "But it remembers something from earlier calls. `seen` is" in said(
        exercise.name, forgets
    )


def test_chance_is_noticed():
    by_chance = random.Random(1)
    text = said("sum_over_paths", lambda edges, source, target: by_chance.random())
    assert "another answer the second time" in text


def test_tables_that_a_function_only_reads_are_left_alone():
    table = {"+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y}

    def forward(graph, inputs):
        values = dict(inputs)
        for name, (operation, *arguments) in graph.items():
            values[name] = table[operation](*[values[x] for x in arguments])
        return values

    assert "KeyError: 'sin'" in said("forward", forward)
    assert len(table) == 3


def test_a_program_is_known_by_what_it_does():
    sources = ["def f(x):\n    return g(x) + 1", "\n\ndef f(x):  # the same\n    return (g(x) + 1)"]
    sources.append("def f(x):\n    return g(x) + 2")
    prints = []
    for source in sources:
        names = {"g": abs}
        exec(source, names)
        prints.append(fingerprint(names["f"]))
    assert prints[0] == prints[1] != prints[2]


# --- hints that are not given ---------------------------------------------------------------------


def central_difference(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * abs(h))


def without_a_lone_input(output):
    return RIGHT_ORDER(output) if output.op else []


def test_a_hint_that_explains_only_some_of_the_answer_is_not_given():
    for name, answer in [
        ("central_difference", central_difference),
        ("topological_order", without_a_lone_input),
        ("choose_step", lambda x: 1e-5 * max(1.0, abs(x) ** 0.5)),
    ]:
        error = failure(name, answer)
        assert error.key is None, name
        hints = {m.hint for m in EXERCISES[name].misconceptions}
        assert not hints.intersection(part.text for part in error.panel.parts)


def test_a_misconception_that_is_right_where_the_answer_is_wrong_explains_nothing(monkeypatch):
    exercise = dataclasses.replace(
        as_exercise(monkeypatch, [2.0, 3.0, 7.0], lambda x: x),
        misconceptions=(
            Misconception("none at 2", "", lambda x: 0.0 if x == 2 else x),
            Misconception("none beyond 2", "", lambda x: 0.0 if x > 2 else x),
            Misconception("none", "", lambda x: 0.0),
        ),
    )
    for answer, key in [
        (lambda x: 0.0 if x == 2 else x, "none at 2"),
        (lambda x: 0.0 if x > 2 else x, "none beyond 2"),
        (lambda x: 0.0 if x > 5 else x, None),
        (lambda x: 0.0 if x < 5 else x, None),
        (lambda x: -1.0 if x == 2 else x, None),
    ]:
        found = attempts(exercise, answer, exercise.cases(), 10)
        misconception = misconception_behind(exercise, found)
        assert (misconception.key if misconception else None) == key


# --- chance ---------------------------------------------------------------------------------------


def test_an_answer_learnt_by_heart_fails(monkeypatch):
    known = [(case, FORWARD(*case)) for case in EXERCISES["forward"].cases(0)]

    def by_heart(graph, inputs):
        return next(answer for case, answer in known if case == (graph, inputs))

    check("forward", by_heart, seed=0)
    assert "StopIteration" in str(failure("forward", by_heart, 1))
    monkeypatch.delenv(checking.SEED)
    failure("forward", by_heart)


def test_the_seed_of_a_random_input_is_told_and_draws_it_again():
    def forward(graph, inputs):
        values = FORWARD(graph, inputs)
        return values if len(graph) < 5 else dict.fromkeys(values, 0.0)

    error = failure("forward", forward, 123)
    assert error.panel.parts[-1].text == (
        'This input was drawn at random. To meet it again: `check("forward", forward, seed=123)`'
    )
    again = failure("forward", forward, 123)
    assert again.panel.parts[0] == error.panel.parts[0]
    assert failure("forward", forward, 124).panel.parts[0] != error.panel.parts[0]


def test_fixed_inputs_have_no_seed():
    assert "seed" not in said("forward", lambda graph, inputs: dict(inputs))


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=list(EXERCISES))
def test_success_reads_the_same_whatever_the_seed(exercise):
    cases = [exercise.cases(seed) for seed in range(5)]
    assert len({*map(len, cases)}) == 1
    assert cases[3][0] == cases[4][0] or exercise.kind != "build"


# --- guesses --------------------------------------------------------------------------------------


def test_whoever_tries_one_choice_after_another_is_not_told_how_near_it_is():
    exercise = EXERCISES["name_mistakes"]
    words = exercise.form.words
    names = ("first", "second", "third")
    wrong = [dict(zip(names, chosen)) for chosen in itertools.product(words, repeat=3)]
    told = [said("name_mistakes", answer) for answer in wrong[:6]]
    assert [" of 3 " in text for text in told] == [True] * 3 + [False] * 3
    assert "say for each one why it belongs where you put it" in told[3]
    assert " of 3 " not in said("name_mistakes", wrong[0])
    checking.failures.clear()
    assert " of 3 " in said("name_mistakes", wrong[0])


# --- answers of taste -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        collections.deque,
        lambda order: filter(lambda node: True, order),
        lambda order: dict(enumerate(order)).values(),
        lambda order: dict.fromkeys(order).keys(),
        lambda order: map(operator.attrgetter("name"), order),
        lambda order: np.array([node.name for node in order]),
    ],
)
def test_an_order_may_come_in_any_row(form):
    check("topological_order", lambda output: form(RIGHT_ORDER(output)))


def test_a_dictionary_is_no_order():
    answer = lambda output: dict.fromkeys(RIGHT_ORDER(output))  # noqa: E731
    assert "and it is a dictionary" in said("topological_order", answer)


@pytest.mark.parametrize(
    "number", [decimal.Decimal, fractions.Fraction, np.float32, lambda n: np.array([[n]]), np.int8]
)
def test_numbers_may_be_of_any_kind(number):
    counts = EXERCISES["first_look"].reference(*EXERCISES["first_look"].cases()[0])
    check("first_look", {name: number(n) for name, n in counts.items()})


@pytest.mark.parametrize("size", [float, np.int64, fractions.Fraction])
def test_shapes_may_be_made_of_any_whole_numbers(size):
    exercise = EXERCISES["predict_shapes"]
    shapes = exercise.reference(*exercise.as_arguments(*exercise.cases()[0]))
    made = {k: s if isinstance(s, str) else [size(n) for n in s] for k, s in shapes.items()}
    check("predict_shapes", made)
    check("predict_shapes", {k: s if isinstance(s, str) else np.array(s) for k, s in made.items()})


@pytest.mark.parametrize(
    "form", [collections.deque, lambda rows: filter(lambda row: True, rows), tuple]
)
def test_arrays_may_come_in_any_row(form):
    exercise = EXERCISES["mean_vjp"]
    check("mean_vjp", lambda *given: form(list(exercise.reference(*given))))


def test_words_may_be_written_large():
    exercise = EXERCISES["name_mistakes"]
    right = exercise.reference(*exercise.as_arguments(*exercise.cases()[0]))
    check("name_mistakes", {name: f" {word.upper()} " for name, word in right.items()})


# --- digits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "given", "is_rounded"),
    [
        ("dy/da", 1.3, True),  # 1.25 would be right
        ("dy/da", 1.2, True),
        ("dy/da", 1.0, False),
        ("dy/da", 1.21, False),
        ("dy/da", 1.24, False),
        ("dy/da", 1.25001, False),
        ("a → p → q → y", 0.8, False),  # 0.75 would be right; a single digit may be anything
        ("a → p → q → y", 1, False),
    ],
)
def test_a_rounded_number_is_told_so(key, given, is_rounded):
    exercise = EXERCISES["predict_paths"]
    right = exercise.reference(*exercise.cases()[0])
    error = failure("predict_paths", right | {key: given})
    text = f'The number for "{key}" is rounded: yours is {given:g}. Keep all of its digits.'
    assert (text in str(error)) == is_rounded
    assert not (is_rounded and any(part.label for part in error.panel.parts))


def test_a_function_that_rounds_is_told_so():
    exercise = EXERCISES["sum_over_paths"]
    thirds = dataclasses.replace(
        exercise, arguments=lambda rng: [({"a": [("y", 1 / 3)], "y": []}, "a", "y")]
    )
    (found,) = attempts(
        thirds, lambda *given: round(exercise.reference(*given), 3), thirds.cases(), 10
    )
    assert found.wrong.text == "The number is rounded: yours is 0.333. Keep all of its digits."


@pytest.mark.parametrize(
    ("numbers", "verdict"),
    [
        ([0.67, 0.33, 2.0], "is rounded: yours is 0.67. Keep all of its digits."),
        ([2 / 3, 0.333, 2.0], "is rounded: yours is 0.333. Keep all of its digits."),
        ([0.67, 0.43, 2.0], "is not right: yours is 0.67."),
        ([0.7, 1 / 3, 2.0], "is not right: yours is 0.7."),
    ],
)
def test_an_array_is_called_rounded_if_all_that_is_wrong_in_it_is(numbers, verdict):
    form = EXERCISES["mean_vjp"].form
    right, mine = (form.read(x, ()) for x in ([2 / 3, 1 / 3, 2.0], numbers))
    assert form.difference(mine, right, ()).text.endswith(verdict)


@pytest.mark.parametrize(
    "number",
    [10**400, -(10**5000), fractions.Fraction(10**400, 3), float("inf")],
    ids=["huge", "gigantic", "fraction", "infinite"],
)
def test_numbers_that_no_float_holds_are_wrong_and_not_a_crash(number):
    answer = {"inputs": number, "operations": number, "edges": number}
    assert 'The number for "inputs" is not right' in said("first_look", answer)
    check_path = lambda users, source, target: number  # noqa: E731
    assert "not right" in said("count_paths", check_path)


@pytest.mark.parametrize(
    "build",
    [
        lambda a, b, c: (a - b) / (b + c) * np.ones(2),
        lambda a, b, c: mg.stack([(a - b) / (b + c), a]),
        lambda a, b, c: mg.variable(np.ones((2, 2))) / a,
        lambda a, b, c: mg.constant([True, False]),
    ],
)
def test_nodes_of_other_shapes_are_compared(build):
    assert "build_quotient is not right yet" in said("build_quotient", build)
