"""Widgets are freed: when nobody holds them, and when the cell that showed them runs again."""

from __future__ import annotations

import gc
import weakref

import pytest
from ipywidgets.widgets import widget as registry

import minigraph as mg
from minigraph import widgets
from minigraph.widgets import lifetime


def worked_example():
    return mg.parse("d = a + b; e = b - c; y = d * e", a=2, b=3, c=1)


def schedules():
    graph = mg.Graph(worked_example())
    return widgets.schedule_viewer(graph, {node: 1.0 for node in graph.order if node.op})


MAKERS = {
    "player": lambda: widgets.play(worked_example()),
    "questions": lambda: widgets.play(worked_example(), predict=True),
    "explorer": lambda: mg.explore(lambda a, b: a * b, a=(0, 1), b=(0, 2)),
    "editor": widgets.expression_editor,
    "passes": widgets.pass_viewer,
    "paths": lambda: widgets.path_explorer(worked_example()),
    "shapes": widgets.shape_lens,
    "checkpoints": widgets.checkpoint_viewer,
    "schedules": schedules,
    "bench": lambda: widgets.training_bench(points=20),
}
every_widget = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


class Notebook:
    """Says which cell runs, as a kernel does."""

    def __init__(self, monkeypatch):
        self.run, self.parent, self.user_ns = 0, {}, {"_oh": {}}
        self.kernel = self
        self.drop_by_id = lambda names: [self.user_ns.pop(name) for name in names]
        monkeypatch.setattr(lifetime, "_shell", lambda: self)
        monkeypatch.setattr(lifetime, "_last_runs", {})

    def get_parent(self, channel):
        assert channel == "shell"
        return self.parent

    def cell(self, name, make):
        """Run a cell that ends with a widget."""
        self.run += 1
        self.parent = {"metadata": {"cellId": name}, "header": {"msg_id": str(self.run)}}
        made = make()
        self.user_ns["_oh"][self.run] = self.user_ns[f"_{self.run}"] = made
        assert made._repr_mimebundle_()
        return made


@every_widget
def test_a_cell_that_runs_again_frees_the_widget_of_its_last_run(make, monkeypatch):
    notebook = Notebook(monkeypatch)
    before = len(registry._instances)
    first = weakref.ref(notebook.cell("a", make))
    one = len(registry._instances)
    assert one > before
    second = weakref.ref(notebook.cell("a", make))
    gc.collect()
    assert first() is None
    assert second() is not None
    assert len(registry._instances) == one
    second().let_go()
    gc.collect()
    assert second() is None
    assert len(registry._instances) == before


@every_widget
def test_a_widget_that_was_let_go_comes_back_where_it_is_shown(make):
    made = make()
    shown, known = made._repr_mimebundle_(), len(registry._instances)
    made.let_go()
    assert made.comm is None
    assert made._repr_mimebundle_() == shown  # the same model, so that other views of it live on
    assert len(registry._instances) == known
    made.let_go()


def test_what_another_cell_shows_or_has_made_stays(monkeypatch):
    notebook = Notebook(monkeypatch)
    player = notebook.cell("a", MAKERS["player"])
    notebook.cell("b", lambda: player)
    notebook.cell("a", MAKERS["player"])
    assert player.comm is not None
    notebook.cell("b", MAKERS["player"])
    assert player.comm is None  # now no cell shows it
    notebook.cell("c", lambda: player)
    notebook.cell("c", lambda: player)
    assert player.comm is not None  # shown again, by the same cell


def test_one_run_may_show_several_widgets(monkeypatch):
    notebook = Notebook(monkeypatch)
    made = []

    def two():
        made.extend([MAKERS["player"](), MAKERS["player"]()])
        return made[-1]

    notebook.cell("a", two)
    assert all(player.comm for player in made)
    notebook.cell("a", two)
    assert [player.comm is None for player in made] == [True, True, False, False]


def test_outside_of_cells_nothing_is_let_go(monkeypatch):
    notebook = Notebook(monkeypatch)
    players = [MAKERS["player"]() for _ in range(2)]
    notebook.parent = {"metadata": {}, "header": {"msg_id": "1"}}
    players += [MAKERS["player"]() for _ in range(2)]
    assert all(player.comm for player in players)


def test_a_kernel_keeps_one_player_for_a_cell_that_runs_again_and_again():
    client = pytest.importorskip("jupyter_client", reason="starts a kernel")
    manager, kernel = client.manager.start_new_kernel(kernel_name="python3")
    try:

        def run(cell, code):
            content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False,
                       "user_expressions": {}, "stop_on_error": True}  # fmt: skip
            message = kernel.session.msg("execute_request", content, metadata={"cellId": cell})
            kernel.shell_channel.send(message)
            printed = ""
            while True:
                told = kernel.get_iopub_msg(timeout=60)
                if told["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                    continue
                assert told["msg_type"] != "error", told["content"]
                if told["msg_type"] == "stream":
                    printed += told["content"]["text"]
                if told["content"].get("execution_state") == "idle":
                    return printed

        run("a", "import gc, minigraph as mg\ny = mg.parse('(a + b) * a', a=2, b=3)")
        count = "gc.collect(); print(sum(isinstance(x, Player) for x in gc.get_objects()))"
        run("b", "from minigraph.widgets import Player")
        for _ in range(6):
            run("c", "mg.play(y)")
        for number in range(3):
            run("d", str(number))  # IPython holds the last three results as _, __ and ___
        assert run("e", count) == "1\n"
        assert run("f", "print(len([x for x in Out.values() if isinstance(x, Player)]))") == "1\n"
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel(now=True)
