"""Lesson 11."""

import numpy as np

from . import right, wrong

# --- predict what a product costs -----------------------------------------------------------------

right(
    "predict_products",
    {"(A @ B) @ C": 640, "A @ (B @ C)": 9000},
    {"A @ (B @ C)": 9000.0, "(A @ B) @ C": 640.0},
    {"(A @ B) @ C": np.int64(2 * 50 * 4) + 2 * 4 * 30, "A @ (B @ C)": 50 * 4 * 30 + 2 * 50 * 30},
)
wrong(
    "predict_products",
    {"(A @ B) @ C": 640, "A @ (B @ C)": 640},
    {"(A @ B) @ C": 640, "A @ (B @ C)": 6000},
    {"(A @ B) @ C": 1280, "A @ (B @ C)": 18000},  # additions counted too
    {"(A @ B) @ C": 3400, "A @ (B @ C)": 9000},  # A @ B taken for 2 × 50
    {"(A @ B) @ C": 86, "A @ (B @ C)": 86},  # the sizes added
    {"(A @ B) @ C": 630, "A @ (B @ C)": 8998},
    {"(A @ B) @ C": 300, "A @ (B @ C)": 300 + 120},
)
wrong("predict_products", {"(A @ B) @ C": 640}, says="There is no number for A @ (B @ C).")
wrong("predict_products", (640, 9000), says="It should be a dictionary")
wrong("predict_products", {"(A @ B) @ C": 9000, "A @ (B @ C)": 640}, hint="orders mixed up")

# --- remove dead code -----------------------------------------------------------------------------


@right("remove_dead_code")
def with_a_stack(graph, outputs):
    needed, waiting = set(), list(outputs)
    while waiting:
        name = waiting.pop()
        if name in graph and name not in needed:
            needed.add(name)
            waiting.extend(graph[name][1:])
    return {name: graph[name] for name in graph if name in needed}


@right("remove_dead_code")
def until_nothing_more_is_unused(graph, outputs):
    graph = dict(graph)
    while True:
        used = {x for step in graph.values() for x in step[1:]} | set(outputs)
        dead = [name for name in graph if name not in used]
        if not dead:
            return graph
        for name in dead:
            del graph[name]


@right("remove_dead_code")
def from_the_end_with_lists(graph, outputs):
    kept = []
    needed = dict.fromkeys(outputs)
    for name, (operation, *args) in reversed(list(graph.items())):
        if name in needed:
            kept.append((name, [operation, *args]))
            for x in args:
                needed[x] = None
    return dict(kept[::-1])


@right("remove_dead_code")
def marks(graph, outputs):
    alive = dict.fromkeys(graph, False)
    for name in outputs:
        alive[name] = True
    for name in list(graph)[::-1]:
        for x in graph[name][1:] if alive[name] else []:
            if x in alive:
                alive[x] = True
    return dict(item for item in graph.items() if alive[item[0]])


def rounds_of_removing(times, graph, outputs):
    for _ in range(times):
        used = {x for step in graph.values() for x in step[1:]} | set(outputs)
        graph = {name: step for name, step in graph.items() if name in used}
    return graph


@wrong("remove_dead_code")
def two_rounds(graph, outputs):
    return rounds_of_removing(2, graph, outputs)


@wrong("remove_dead_code")
def a_hundred_rounds(graph, outputs):
    return rounds_of_removing(100, graph, outputs)


@wrong("remove_dead_code")
def cut_after_the_last_output(graph, outputs):
    names = list(graph)
    end = max((names.index(y) for y in outputs), default=-1)
    return {name: graph[name] for name in names[: end + 1]}


@wrong("remove_dead_code")
def first_inputs_only(graph, outputs):
    needed, waiting = set(), list(outputs)
    while waiting:
        name = waiting.pop()
        if name in graph and name not in needed:
            needed.add(name)
            waiting.append(graph[name][1])
    return {name: step for name, step in graph.items() if name in needed}


@wrong("remove_dead_code")
def in_the_order_found(graph, outputs):
    kept, waiting = {}, list(outputs)
    while waiting:
        name = waiting.pop(0)
        if name in graph and name not in kept:
            kept[name] = graph[name]
            waiting += graph[name][1:]
    return kept


@wrong("remove_dead_code", says="unpack")
def two_inputs_always(graph, outputs):
    needed = set(outputs)
    for name in reversed(graph):
        operation, x, y = graph[name]
        if name in needed:
            needed |= {x, y}
    return {name: step for name, step in graph.items() if name in needed}


@wrong("remove_dead_code", says="IndexError")
def there_is_always_an_output(graph, outputs):
    last = outputs[-1]
    needed = {last, *outputs}
    for name in reversed(graph):
        if name in needed:
            needed.update(graph[name][1:])
    return {name: step for name, step in graph.items() if name in needed}


@wrong("remove_dead_code")
def the_outputs_themselves_forgotten(graph, outputs):
    needed = set(outputs)
    for name in reversed(graph):
        if name in needed:
            needed.update(graph[name][1:])
    return {name: step for name, step in graph.items() if name in needed - set(outputs)}


@wrong("remove_dead_code", says="changes graph")
def deletes_from_the_graph(graph, outputs):
    needed = set(outputs)
    for name in reversed(graph):
        if name in needed:
            needed.update(graph[name][1:])
    for name in [name for name in graph if name not in needed]:
        del graph[name]
    return graph


@wrong("remove_dead_code", says="changes outputs")
def uses_up_the_outputs(graph, outputs):
    needed = set()
    while outputs:
        name = outputs.pop()
        if name in graph and name not in needed:
            needed.add(name)
            outputs += graph[name][1:]
    return {name: step for name, step in graph.items() if name in needed}


@wrong("remove_dead_code", says="It should be a dictionary")
def names_only(graph, outputs):
    return list(with_a_stack(graph, outputs))


@wrong("remove_dead_code", hint="a call for each step")
def a_call_for_each(graph, outputs):
    needed = set()

    def visit(name):
        if name in graph and name not in needed:
            needed.add(name)
            for x in graph[name][1:]:
                visit(x)

    for y in outputs:
        visit(y)
    return {name: step for name, step in graph.items() if name in needed}


# --- share common subexpressions ------------------------------------------------------------------


@right("share_common_subexpressions")
def two_dictionaries(graph):
    names, steps = {}, {}
    for name, (operation, *args) in graph.items():
        step = (operation, *(names.get(x, x) for x in args))
        names[name] = steps.setdefault(step, name)
    return {name: step for step, name in steps.items()}


@right("share_common_subexpressions")
def until_it_stays_the_same(graph):
    while True:
        first, instead = {}, {}
        for name, step in graph.items():
            instead[name] = first.setdefault(step, name)
        new = {
            name: (step[0], *[instead.get(x, x) for x in step[1:]])
            for name, step in graph.items()
            if instead[name] == name
        }
        if new == graph:
            return new
        graph = new


@right("share_common_subexpressions")
def with_lists(graph):
    kept = {}
    alias = {}
    for name in graph:
        step = [alias[x] if x in alias else x for x in graph[name]]
        for other in kept:
            if kept[other] == step:
                alias[name] = other
                break
        else:
            kept[name] = step
    return kept


@right("share_common_subexpressions")
def by_depth(graph):
    number = {}
    known = {}
    kept = {}
    for name, (operation, *args) in graph.items():
        key = operation, tuple(number.get(x, x) for x in args)
        if key not in known:
            known[key] = name
            kept[name] = (operation, *[known[number[x]] if x in number else x for x in args])
        number[name] = key
    return kept


def one_level(graph):
    first, instead = {}, {}
    for name, step in graph.items():
        instead[name] = first.setdefault(step, name)
    return {
        name: (step[0], *[instead.get(x, x) for x in step[1:]])
        for name, step in graph.items()
        if instead[name] == name
    }


@wrong("share_common_subexpressions")
def one_level_twice(graph):
    return one_level(one_level(graph))


@wrong("share_common_subexpressions")
def one_level_three_times(graph):
    return one_level(one_level(one_level(graph)))


@wrong("share_common_subexpressions")
def one_level_a_hundred_times(graph):
    for _ in range(100):
        graph = one_level(graph)
    return graph


@wrong("share_common_subexpressions")
def letters_in_a_row(graph):
    kept, seen, instead = {}, {}, {}
    for name, (operation, *args) in graph.items():
        args = [instead.get(x, x) for x in args]
        key = operation + "".join(args)
        if key in seen:
            instead[name] = seen[key]
        else:
            seen[key] = name
            kept[name] = (operation, *args)
    return kept


@wrong("share_common_subexpressions")
def sums_and_products_only(graph):
    kept, seen, instead = {}, {}, {}
    for name, (operation, *args) in graph.items():
        step = (operation, *[instead.get(x, x) for x in args])
        if step in seen and operation in "+*":
            instead[name] = seen[step]
        else:
            seen[step] = name
            kept[name] = step
    return kept


@wrong("share_common_subexpressions")
def one_copy_of_each(graph):
    kept, seen, instead = {}, {}, {}
    for name, (operation, *args) in graph.items():
        step = (operation, *[instead.get(x, x) for x in args])
        if step in seen:
            instead[name] = seen.pop(step)
        else:
            seen[step] = name
            kept[name] = step
    return kept


@wrong("share_common_subexpressions")
def only_first_inputs_renamed(graph):
    kept, seen, instead = {}, {}, {}
    for name, (operation, x, *rest) in graph.items():
        step = (operation, instead.get(x, x), *rest)
        if step in seen:
            instead[name] = seen[step]
        else:
            seen[step] = name
            kept[name] = step
    return kept


@wrong("share_common_subexpressions", says="unpack")
def two_inputs(graph):
    kept, seen, instead = {}, {}, {}
    for name, (operation, x, y) in graph.items():
        step = (operation, instead.get(x, x), instead.get(y, y))
        if step in seen:
            instead[name] = seen[step]
        else:
            seen[step] = name
            kept[name] = step
    return kept


def remembering(graph, seen={}):  # noqa: B006
    kept, instead = {}, {}
    for name, (operation, *args) in graph.items():
        step = (operation, *[instead.get(x, x) for x in args])
        if step in seen:
            instead[name] = seen[step]
        else:
            seen[step] = name
            kept[name] = step
    return kept


wrong("share_common_subexpressions")(remembering)


@wrong("share_common_subexpressions", says="is no operation of the graph")
def new_names(graph):
    shared = two_dictionaries(graph)
    names = {name: f"t{n}" for n, name in enumerate(shared)}
    return {names[k]: (op, *[names.get(x, x) for x in xs]) for k, (op, *xs) in shared.items()}


@wrong("share_common_subexpressions", hint="order of inputs ignored")
def sorted_inputs(graph):
    kept, seen, instead = {}, {}, {}
    for name, (operation, *args) in graph.items():
        step = (operation, *sorted(instead.get(x, x) for x in args))
        if step in seen:
            instead[name] = seen[step]
        else:
            seen[step] = name
            kept[name] = step
    return kept


# --- predict what a static graph does -------------------------------------------------------------

WHAT = {
    "branch": "define",
    "where": "fine",
    "matmul": "define",
    "length": "run",
    "loop": "fine",
    "noise": "frozen",
}
right(
    "predict_static",
    WHAT,
    dict(reversed(WHAT.items())),
    dict(zip(WHAT, np.array(list(WHAT.values())))),
)
wrong(
    "predict_static",
    WHAT | {"branch": "run", "where": "run"},
    WHAT | {"matmul": "frozen"},
    WHAT | {"length": "fine", "noise": "fine"},
    dict.fromkeys(WHAT, "define"),
    dict.fromkeys(WHAT, "fine"),
    WHAT | {"loop": "define", "branch": "fine"},
)
wrong("predict_static", WHAT | {"loop": "works"}, says="It should be one of")
wrong("predict_static", list(WHAT.values()), says="It should be a dictionary")
wrong("predict_static", WHAT | {"branch": "run"}, hint="a branch on numbers that are not there")
wrong("predict_static", WHAT | {"noise": "fine"}, hint="Python runs at each run")
