"""Schedules obey the graph, and several threads compute what one computes."""

import re
import threading
import time
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import programs, run

import minigraph as mg
from minigraph.compiler import ScheduleError, by_hand, parallel
from minigraph.compiler import costs as model
from minigraph.compiler.costs import Costs, measured, predicted
from minigraph.compiler.parallel import pieces, timed
from minigraph.compiler.schedule import Schedule, critical_path, in_words, levels, schedule
from minigraph.drawing.gantt import chart

FEW = settings(max_examples=40)


def captured(program):
    """The graph of a random program with its gradients, and values for its inputs."""
    inputs, steps = program
    xs = [mg.placeholder(f"x{i}", x.shape, x.dtype) for i, x in enumerate(inputs)]
    y = run(mg, xs, steps)
    return mg.Graph([y, *mg.grad(y, xs)], xs), {f"x{i}": x for i, x in enumerate(inputs)}


def made_up(graph, handoff=0.0, holding=()):
    """Costs of 1, 2 or 3, by the lengths of the operations' names."""
    seconds = {node: 1.0 + len(node.op.name) % 3 for node in graph.order if node.op}
    return Costs(seconds, frozenset(holding), handoff)


def longest_path(graph, seconds):
    """By hand: the latest end of any operation, if each starts when its inputs are there."""
    end = {}
    for node in graph.order:
        start = max((end[x] for x in node.inputs), default=0.0)
        end[node] = start + (seconds[node] if node.op else 0.0)
    return max(end.values())


def branches(count=4, side=8, length=3):
    """Independent chains of matrix products, whose means are added."""
    xs = [mg.placeholder(f"x{i}", (side, side)) for i in range(count)]
    total = 0.0
    for x in xs:
        y = x
        for _ in range(length):
            y = y @ x
        total = total + mg.mean(y)
    return mg.Graph(total, xs), {x.name: np.full((side, side), 1 / side) for x in xs}


# Its shape is stated, so that only zeros stand in for an input before there are numbers.
elementwise = mg.custom(lambda g, out, x: g, shape=lambda shape: shape)


def napping(seconds, name="nap", error=None):
    """An operation that waits without holding the interpreter, and may fail then."""

    def nap(x):
        if np.any(x):
            time.sleep(seconds)
            if error:
                raise error
        return x * 1.0

    nap.__name__ = name
    return elementwise(nap)


# --- levels, the critical path, schedules ---------------------------------------------------------


def test_levels_of_a_graph_counted_by_hand():
    a, b = mg.placeholder("a"), mg.placeholder("b")
    c = a + b
    d = c * a
    e = mg.exp(b)
    y = d - e
    assert levels(mg.Graph(y)) == [[a, b], [c, e], [d], [y]]


@given(programs())
@FEW
def test_a_node_lies_one_level_above_its_highest_input(program):
    graph, _ = captured(program)
    found = levels(graph)
    level = {node: i for i, nodes in enumerate(found) for node in nodes}
    assert sorted(level, key=lambda node: node.seq) == graph.order
    for node in graph.order:
        assert level[node] == (1 + max(level[x] for x in node.inputs) if node.inputs else 0)


def test_the_critical_path_of_a_diamond_goes_by_its_longer_side():
    x = mg.placeholder("x")
    left, right = mg.exp(x), mg.sin(x)
    far = mg.cos(right)
    y = left + far
    costs = {left: 5.0, right: 1.0, far: 1.0, y: 2.0}
    assert critical_path(mg.Graph(y), costs) == ([left, y], 7.0)
    assert critical_path(mg.Graph(y), costs | {far: 7.0}) == ([right, far, y], 10.0)
    assert critical_path(mg.Graph(x), {}) == ([], 0.0)


@given(programs(), st.integers(1, 4), st.sampled_from([0.0, 0.5, 10.0]), st.booleans())
@FEW
def test_a_schedule_computes_all_in_order_and_one_thing_at_a_time(program, workers, handoff, held):
    graph, _ = captured(program)
    operations = [node for node in graph.order if node.op]
    holding = operations[::2] if held else []
    costs = made_up(graph, handoff, holding)
    plan = schedule(graph, workers, costs)
    span = {s.node: s for s in plan.spans}
    assert sorted(span, key=lambda node: node.seq) == operations
    assert len(plan.spans) == len(operations)
    for node, s in span.items():
        assert 0 <= s.worker < workers
        assert s.stop - s.start == pytest.approx(costs.seconds[node])
        for x in node.inputs:
            if x.op:
                assert s.start >= span[x].stop + handoff * (s.worker != span[x].worker) - 1e-9
    for group in [*([s for s in plan.spans if s.worker == w] for w in range(workers)),
                  [s for s in plan.spans if s.node in costs.holding]]:  # fmt: skip
        for one, next_ in pairwise(sorted(group, key=lambda s: s.start)):
            assert next_.start >= one.stop - 1e-9
    total, longest = sum(costs.seconds.values()), longest_path(graph, costs.seconds)
    path, length = critical_path(graph, costs)
    assert length == pytest.approx(longest)
    assert all(x in y.inputs for x, y in pairwise(path))
    assert plan.makespan >= max(longest, total / workers) - 1e-9
    assert plan.serial == pytest.approx(total)
    if not handoff and not held:  # Graham's bound
        assert plan.makespan <= total / workers + (1 - 1 / workers) * longest + 1e-9
    if workers == 1:
        assert plan.makespan == pytest.approx(total)


def test_the_longest_remaining_path_goes_first():
    x = mg.placeholder("x")
    short, long = mg.sin(x), mg.cos(x)
    end = mg.exp(mg.exp(long))
    graph = mg.Graph([short, end])
    plan = schedule(graph, 1, dict.fromkeys(graph.order, 1.0))
    assert plan.spans[0].node is long
    assert schedule(graph, 2, dict.fromkeys(graph.order, 1.0)).makespan == 3.0


def test_little_work_is_not_handed_over_when_that_costs_more():
    x = mg.placeholder("x")
    y = mg.Graph(mg.exp(mg.exp(x)) + mg.sin(mg.exp(x)))
    plan = schedule(y, 2, made_up(y, handoff=100.0))
    assert len({s.worker for s in plan.spans if s.start > 3.0}) == 1


@given(programs(), st.integers(1, 4), st.sampled_from([0.0, 0.5, 10.0]), st.booleans())
@FEW
def test_lists_taken_from_a_schedule_give_that_schedule_again(program, workers, handoff, held):
    graph, _ = captured(program)
    costs = made_up(graph, handoff, [x for x in graph.order if x.op][::2] if held else [])
    plan = schedule(graph, workers, costs)
    lists = [[span.node for span in plan.spans if span.worker == w] for w in range(workers)]
    found = by_hand(graph, lists, costs)
    if not held:  # who gets the interpreter first is not in the lists
        assert found == plan
    span = {s.node: s for s in found.spans}
    assert [[s.node for s in found.spans if s.worker == w] for w in range(workers)] == lists
    for node, s in span.items():
        for x in node.inputs:
            if x.op:
                assert s.start >= span[x].stop + handoff * (s.worker != span[x].worker) - 1e-9
    held_spans = sorted((s for s in found.spans if s.node in costs.holding), key=lambda s: s.start)
    assert all(two.start >= one.stop - 1e-9 for one, two in pairwise(held_spans))


def crossed():
    """A graph of five named operations, and a second for each."""
    text = "p = a * b; q = a + b; r = p - q; s = q * q; y = r / s"
    graph = mg.Graph(mg.parse(text, a=mg.placeholder("a"), b=mg.placeholder("b")))
    return graph, {node: 1.0 for node in graph.order if node.op}


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        ([["p", "r", "y"], ["q"]], "nobody computes s; put it into the list"),
        ([[], []], "nobody computes p, q, r, s and y; put each of them"),
        ([["p", "q", "r", "s", "s", "y"]], "s is computed twice by worker 1"),
        ([["p", "q", "r"], ["r", "s", "y"]], "r is computed by worker 1 and again by worker 2"),
        ([["p", "q", "r", "z"], ["s", "y"]], "worker 1 has 'z' in its list"),
        ([["p", "Q", "r", "y"], ["s"]], "'Q' in its list, and the graph has no such operation"),
        ([["a", "p", "q", "r", "y"], ["s"]], "'a' in its list"),
        ([["p", None], ["q", "r", "s", "y"]], "None in its list"),
        ([[["p", "q"]], ["r", "s", "y"]], "['p', 'q'] in its list"),
        ([["r", "p", "q", "s", "y"]], "compute r and waits for p, which comes later in its own"),
        (
            [["p", "r", "q"], ["s", "y"]],
            "worker 1 is to compute r and waits for q, which comes later in its own list",
        ),
        (
            [["y", "p"], ["q", "r", "s"]],
            "worker 1 is to compute y and waits for r, which worker 2 has; worker 2 is to compute "
            "r and waits for p, which worker 1 has behind that",
        ),
        (["pq", "rsy"], "a list of names for each worker"),
        ([], "a list of names for each worker"),
        ("pqrsy", "a list of names for each worker"),
        (None, "a list of names for each worker"),
        ([["p", "q"], 3], "a list of names for each worker"),
    ],
)
def test_lists_that_cannot_be_carried_out_are_told_why(lists, said):
    graph, seconds = crossed()
    with pytest.raises(ScheduleError, match=re.escape(said)) as caught:
        by_hand(graph, lists, seconds)
    assert isinstance(caught.value, mg.MinigraphError)
    assert isinstance(caught.value, ValueError)


def test_a_list_may_name_what_only_the_picture_names():
    x = mg.placeholder("x")
    graph = mg.Graph(mg.sin(x) * mg.cos(x))
    plan = by_hand(graph, [["v₁", "v₃"], ("v₂",)], dict.fromkeys(graph.order, 1.0))
    assert plan.makespan == 2.0
    assert sorted(plan.names[span.node] for span in plan.spans) == ["v₁", "v₂", "v₃"]
    assert by_hand(graph, [["v₁", "v₂", "v₃"]]).speed_up == pytest.approx(1.0)


def test_a_long_list_nests_no_calls():
    y = mg.placeholder("x")
    for _ in range(3000):
        y = mg.sin(y)
    graph = mg.Graph(y)
    nodes = [node for node in graph.order if node.op]
    assert by_hand(graph, [nodes[::2], nodes[1::2]], dict.fromkeys(nodes, 1.0)).makespan == 3000.0


def test_what_takes_no_time_has_no_bar():
    x = mg.placeholder("x")
    graph = mg.Graph(mg.exp(mg.sin(x)) * x)
    plan = schedule(
        graph, 2, {node: float(node.op.name == "sin") for node in graph.order if node.op}
    )
    bars = [bar for bar in chart(plan).axes.patches if bar.get_width()]
    assert len(bars) == 1
    assert len(chart(plan).axes.patches) == len(bars) + 1  # and that of the legend


@pytest.mark.parametrize("as_costs", [dict, Costs])
def test_an_operation_without_a_cost_is_named(as_costs):
    graph, seconds = crossed()
    (r,) = (node for node in seconds if node.name == "r")
    some = as_costs({node: second for node, second in seconds.items() if node is not r})
    for plan in (
        lambda: schedule(graph, 2, some),
        lambda: by_hand(graph, [["p", "r", "y"], ["q", "s"]], some),
    ):
        with pytest.raises(mg.MinigraphError, match=r"no cost for r \(subtract") as caught:
            plan()
        assert caught.value.nodes == (r,)


@pytest.mark.parametrize(
    "second", [-1.0, np.nan, np.inf, 10**400, "1", None, 1j, [1.0], np.ones(2)]
)
def test_a_cost_that_is_no_time_is_refused_with_its_operation(second):
    y = mg.sin(mg.placeholder("x")).named("y")
    graph = mg.Graph(y)
    for plan in (lambda c: schedule(graph, 2, c), lambda c: by_hand(graph, [["y"]], c)):
        with pytest.raises(mg.MinigraphError, match=r"cost of y .* is a number of seconds") as e:
            plan({y: second})
        assert e.value.nodes == (y,)


@pytest.mark.parametrize("costs", [5, "x", [1.0]])
def test_costs_that_are_no_dict_are_refused(costs):
    graph = mg.Graph(mg.sin(mg.placeholder("x")).named("y"))
    with pytest.raises(TypeError, match="costs are a dict from each operation to its seconds"):
        by_hand(graph, [["y"]], costs)


def test_no_time_has_no_unit():
    x = mg.placeholder("x")
    graph = mg.Graph(mg.exp(mg.sin(x)))
    for second in (1.0, 1e-3, 1e-9):
        table = str(schedule(graph, 1, dict.fromkeys(graph.order, second)))
        assert re.search(r"^1 +0 +1 \w?s ", table, re.MULTILINE)
        assert "0 ns" not in table


def test_workers_are_counted_in_whole_numbers():
    graph, feeds = branches()
    for workers in (0, -1, 2.0, True, "two"):
        for call in (lambda w: schedule(graph, w), lambda w: graph.run(feeds, workers=w)):
            if workers is True and call(1) is not None:
                continue  # which is 1, where run sees it
            with pytest.raises(mg.MinigraphError, match="workers is a whole number of at least 1"):
                call(workers)


# --- costs ----------------------------------------------------------------------------------------


def test_the_model_charges_more_for_more_work():
    def seconds(y):
        costs = predicted(mg.Graph(y))
        return costs.seconds[y]

    def vector(n):
        return mg.placeholder("x", (n,))

    def square(n):
        return mg.variable(np.ones((n, n)))

    assert seconds(mg.exp(vector(1_000_000))) > 10 * seconds(mg.exp(vector(20_000)))
    assert seconds(mg.power(vector(100_000), 2.5)) > seconds(vector(100_000) + 1.0)
    assert seconds(square(600) @ square(600)) > 5 * seconds(square(200) @ square(200))
    assert seconds(mg.reshape(square(1000), (-1,))) == seconds(mg.transpose(square(1000)))
    assert seconds(square(1000)[2:, 0]) < seconds(square(1000)[np.arange(900)]) / 5
    x = square(300)
    assert seconds(mg.einsum("ij,jk->ik", x, x)) == pytest.approx(seconds(x @ x))


def test_costs_are_measured_by_running():
    x = mg.placeholder("x", (3,))
    slow = napping(0.01)(x)
    y = slow + 1.0
    costs = measured(mg.Graph(y), {"x": np.ones(3)}, runs=2)
    assert costs.seconds.keys() == {slow, y}
    assert costs.seconds[slow] >= 0.01 > costs.seconds[y]
    assert costs.total == pytest.approx(sum(costs.seconds.values()))


# --- running in parallel --------------------------------------------------------------------------


@given(programs(), st.sampled_from([2, 4]), st.sampled_from([0.0, 0.3]))
@FEW
def test_threads_compute_what_one_computes_to_the_bit(program, workers, handoff):
    graph, feeds = captured(program)
    expected = graph.run(feeds)
    found, plan = timed(graph, feeds, workers, made_up(graph, handoff), runs=2)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype
    for ours, theirs in zip(graph.run(feeds, workers=workers), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    span = {s.node: s for s in plan.spans}
    assert span.keys() == {node for node in graph.order if node.op}
    for node, s in span.items():
        assert all(span[x].stop <= s.start for x in node.inputs if x.op)


@given(programs(), st.sampled_from([2, 4]), st.sampled_from([0.0, 0.3, 5.0]))
@FEW
def test_pieces_hold_every_operation_once_and_wait_in_no_circle(program, workers, handoff):
    graph, _ = captured(program)
    costs = made_up(graph, handoff)
    plan = schedule(graph, workers, costs)
    parts = pieces(graph, plan, costs)
    held = [node for piece in parts for node in piece.nodes]
    assert sorted(held, key=lambda node: node.seq) == [n for n in graph.order if n.op]
    done, waiting = set(), {*range(len(parts))}
    while waiting:
        free = {i for i in waiting if parts[i].needs <= done}
        assert free
        done, waiting = done | free, waiting - free
    home = {node: i for i, piece in enumerate(parts) for node in piece.nodes}
    for i, piece in enumerate(parts):
        for node in piece.nodes:
            assert all(home[x] in piece.needs | {i} for x in node.inputs if x.op)
    span = {s.node: s for s in plan.spans}  # where nothing waits within a piece
    for piece in parts:
        assert len({span[node].worker for node in piece.nodes}) == 1
        for node in piece.nodes:
            for x in node.inputs:
                if x.op and span[x].worker != span[node].worker:
                    assert span[x].stop <= span[piece.nodes[0]].start
                    assert parts[home[x]].nodes[-1] is x


@given(programs())
@FEW
def test_what_nobody_needs_any_more_is_forgotten(program):
    graph, feeds = captured(program)
    values, serial = graph.fed(feeds), graph.fed(feeds)
    costs = made_up(graph)
    parallel._Run(graph, values, pieces(graph, schedule(graph, 2, costs), costs)).run(2)
    graph._compute(serial)
    assert values.keys() == serial.keys()


def test_independent_operations_run_at_the_same_time():
    x = mg.placeholder("x", (2,))
    met = threading.Barrier(2, timeout=10)

    def meet(x):
        if np.any(x):
            met.wait()  # breaks unless another thread comes here too
        return x * 1.0

    together = elementwise(meet)
    graph = mg.Graph(together(x) + together(x * 2.0))
    costs = made_up(graph)
    parts = pieces(graph, schedule(graph, 2, costs), costs)
    values = graph.fed({"x": np.ones(2)})
    parallel._Run(graph, values, parts).run(2)
    np.testing.assert_array_equal(values[graph.outputs[0]], [3.0, 3.0])


def test_a_chain_stays_on_one_thread_as_one_piece():
    y = x = mg.placeholder("x", (4,))
    for _ in range(50):
        y = mg.sin(y)
    graph = mg.Graph(y, [x])
    costs = made_up(graph, handoff=10.0)
    (piece,) = pieces(graph, schedule(graph, 2, costs), costs)
    assert len(piece.nodes) == 50


@pytest.mark.parametrize("workers", [2, 4])
def test_an_error_reaches_the_caller_names_the_node_and_leaves_no_thread(workers):
    x, i = mg.placeholder("x", (3,)), mg.placeholder("i", (), int)
    slow = napping(0.01)
    graph = mg.Graph([slow(slow(x)), mg.exp(x[i]), slow(mg.sin(x))])
    before = threading.active_count()
    with pytest.raises(mg.ShapeError, match=r"getitem of x \(placeholder.* out of bounds"):
        timed(graph, {"x": np.ones(3), "i": 3}, workers, made_up(graph))
    costs = made_up(graph)
    run_ = parallel._Run(
        graph,
        graph.fed({"x": np.ones(3), "i": 3}),
        pieces(graph, schedule(graph, workers, costs), costs),
    )
    with pytest.raises(mg.ShapeError, match=r"getitem of x \(placeholder.* out of bounds"):
        run_.run(workers)
    assert threading.active_count() == before


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt(), SystemExit(3)])
@pytest.mark.parametrize("late", [0.0, 0.05])
def test_whatever_strikes_in_a_thread_strikes_in_the_caller(error, late):
    x = mg.placeholder("x", (3,))
    failing, slow = napping(late, "failing", error), napping(0.02)
    graph = mg.Graph([slow(x * 2.0), failing(x * 3.0), slow(slow(x * 4.0))])
    costs = made_up(graph)
    parts = pieces(graph, schedule(graph, 2, costs), costs)
    with pytest.raises(type(error)) as caught:
        parallel._Run(graph, graph.fed({"x": np.ones(3)}), parts).run(2)
    assert caught.value.__notes__ == ["while computing the failing (shape (3,))"]
    error.__notes__.clear()


def test_no_thread_outlives_its_run():
    x = mg.placeholder("x", (2,))
    met = threading.Barrier(2, timeout=10)

    def part(x):
        if np.any(x):
            met.wait()
            if threading.current_thread() is threading.main_thread():
                raise RuntimeError("broken")
            time.sleep(0.1)
        return x * 1.0

    parting = elementwise(part)
    graph = mg.Graph([parting(x), parting(x * 2.0)])
    costs = made_up(graph)
    parts = pieces(graph, schedule(graph, 2, costs), costs)
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="broken"):
        parallel._Run(graph, graph.fed({"x": np.ones(2)}), parts).run(2)
    assert threading.active_count() == before


def test_an_interrupt_from_the_keyboard_ends_the_run():
    import _thread

    x = mg.placeholder("x", (3,))
    slow = napping(0.3)
    y = x
    for _ in range(20):
        y = slow(y)
    graph = mg.Graph([y, slow(x * 2.0)])
    costs = made_up(graph)
    parts = pieces(graph, schedule(graph, 2, costs), costs)
    threading.Timer(0.1, _thread.interrupt_main).start()
    start = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        parallel._Run(graph, graph.fed({"x": np.ones(3)}), parts).run(2)
    assert time.perf_counter() - start < 3  # of 6 seconds


def test_settings_of_the_caller_hold_in_its_threads():
    x = mg.placeholder("x", (2,))
    met, seen = threading.Barrier(2, timeout=10), []

    def watch(x):
        if np.any(x):
            met.wait()
            seen.append((threading.get_ident(), np.geterr()["under"]))
        return x * 1.0

    watching = elementwise(watch)
    graph = mg.Graph([watching(x), watching(x * 2.0)])
    costs = made_up(graph)
    parts = pieces(graph, schedule(graph, 2, costs), costs)
    with np.errstate(under="raise"):
        parallel._Run(graph, graph.fed({"x": np.ones(2)}), parts).run(2)
    assert len({thread for thread, _ in seen}) == 2
    assert {setting for _, setting in seen} == {"raise"}


def test_threads_and_operations_may_run_graphs_themselves():
    inner, feeds = branches(3, 6)
    expected = inner.run(feeds)
    costs = made_up(inner)

    def nested(x):
        return x + timed(inner, feeds, 2, costs, runs=1)[0]

    op = elementwise(nested)
    x = mg.placeholder("x")
    graph = mg.Graph([op(x), op(x * 2.0), op(x * 3.0)])
    found = []

    def work():
        found.append(timed(graph, {"x": 1.0}, 2, made_up(graph), runs=2)[0])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [(1.0 + expected, 2.0 + expected, 3.0 + expected)] * 4


# --- falling back ---------------------------------------------------------------------------------


def choice(graph, feeds, runs=1):
    for _ in range(runs):
        graph.run(feeds, workers=2)
    return graph._choices[2]


def never(*_):
    raise AssertionError("this does not pay in parallel")


def test_what_cannot_gain_is_run_by_one_thread(monkeypatch):
    monkeypatch.setattr(parallel._Run, "run", never)
    monkeypatch.setattr(model, "crowding", never)  # that need not be measured to know
    y = x = mg.placeholder("x", (400, 400))
    for _ in range(3):
        y = y @ x
    chain = mg.Graph(y, [x])
    assert choice(chain, {"x": np.full((400, 400), 1 / 400)}, runs=2).parts is None
    a = [mg.placeholder(f"a{i}") for i in range(8)]
    small = mg.Graph([mg.exp(mg.sin(x) * 2.0) for x in a])
    assert choice(small, {x.name: 1.0 for x in a}, runs=2).parts is None


def cores(monkeypatch, count):
    """As if this machine had so many cores, and NumPy a million multiply-adds in a millisecond."""
    monkeypatch.setattr(model, "crowding", lambda name, workers: max(1.0, workers / count))
    monkeypatch.setattr(model, "_seconds", lambda name, dtype, amount: 1e-9 * amount)
    monkeypatch.setattr(model, "_fixed_cost", lambda: 1e-6)
    monkeypatch.setattr(model, "_thread_costs", lambda: (5e-5, 1e-5))


def test_what_gains_by_the_model_is_tried_where_there_are_cores_for_it(monkeypatch):
    graph, feeds = branches(4, 200)
    cores(monkeypatch, 2)
    assert choice(graph, feeds).parts is not None
    assert 1.8 < schedule(graph, 2).speed_up <= 2.0
    again, _ = branches(4, 200)
    cores(monkeypatch, 1)
    assert choice(again, feeds).parts is None
    assert schedule(again, 2).speed_up == pytest.approx(
        1.0, rel=0.1
    )  # no worker has a core of its own


def test_several_threads_may_ask_for_the_same_graph_at_once(monkeypatch):
    graph, feeds = branches(4, 100)
    cores(monkeypatch, 2)
    expected, found = graph.run(feeds), []

    def work():
        found.extend(graph.run(feeds, workers=2) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [expected] * 20


@pytest.mark.parametrize("faster", [True, False])
def test_the_faster_way_stays(monkeypatch, faster):
    graph, feeds = branches(4, 200)
    cores(monkeypatch, 2)
    real, ways, clock = parallel._Run.run, [], [0.0]

    def run_(self, workers):
        ways.append("parallel")
        clock[0] += 1.0 if faster else 3.0
        real(self, workers)

    def compute(values):
        ways.append("serial")
        clock[0] += 2.0
        return mg.Graph._compute(graph, values)

    monkeypatch.setattr(parallel, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(parallel._Run, "run", run_)
    monkeypatch.setattr(graph, "_compute", compute)
    trials = 2 * parallel.TRIALS
    expected = graph.run(feeds)
    ways.clear()
    assert {graph.run(feeds, workers=2) for _ in range(trials + 3)} == {expected}
    assert ways[:trials] == ["parallel", "serial"] * parallel.TRIALS
    assert ways[trials:] == ["parallel" if faster else "serial"] * 3


# --- to look at -----------------------------------------------------------------------------------


def test_a_table_names_worker_times_and_node():
    graph, _ = branches(2, 4, 1)
    plan = schedule(graph, 2, dict.fromkeys(graph.order, 0.001))
    text = str(plan).splitlines()
    assert re.fullmatch(r"worker +start +stop +node", text[0])
    assert text[2].split() == ["1", "0", "1", "ms", "v₁", "=", "x0", "@", "x0"]
    assert text[-1] == "2 workers: 4 ms in place of 6 ms, 1.50 times as fast"
    assert plan.efficiency == pytest.approx(0.75)
    empty = schedule(mg.Graph(mg.placeholder("x")), 2)
    assert (empty.makespan, empty.speed_up) == (0.0, 1.0)


def test_a_chart_shows_prediction_and_measurement_in_rows():
    graph, feeds = branches(3, 20)
    plan = schedule(graph, 2)
    _, seen = timed(graph, feeds, 2)
    assert isinstance(seen, Schedule)
    plot = plan.chart(seen)
    labels = [tick.get_text() for tick in plot.axes.get_yticklabels()]
    assert labels == [f"{kind} worker {i}" for kind in ("predicted", "measured") for i in (1, 2)]
    bars = [p for p in plot.axes.patches if p.get_width()]
    assert len(bars) == len(plan.spans) + len(seen.spans)
    assert "Gantt chart of 15 operations: predicted, 2 workers: " in plot.alt
    ElementTree.fromstring(plot.svg)
    assert [t.get_text() for t in chart(plan).axes.get_yticklabels()] == ["worker 1", "worker 2"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0"),
        (0.3e-9, "0.3 ns"),
        (12.34e-6, "12.3 µs"),
        (999.4e-6, "999 µs"),
        (999.6e-6, "1 ms"),
        (0.9999, "1 s"),
        (1.5, "1.5 s"),
        (3600, "3600 s"),
    ],
)
def test_a_time_has_the_unit_in_which_it_is_short(seconds, words):
    assert in_words(seconds) == words
