"""A hostile class gets what it deserves, in each sandbox, and leaves nothing behind."""

import socket
import threading
from pathlib import Path

import pytest
from judge_class import CLASS, SANDBOXES

from minigraph.course.exercises import forward_pass
from minigraph.judge import asking
from minigraph.judge.asking import Limits
from minigraph.judge.judging import Bench, Options, Task

GET_ONE = pytest.mark.skip('attacks sandboxes: pip install "minigraph[judge]"')
UNHURRIED, SHORT = Limits(seconds=4, memory=300), Limits(seconds=1, memory=300)
ENDLESS = {"too slow", "crashed"}  # what may have to be waited for
SEED = 20


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """What nobody inside should come to: a server, and files."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret").write_text("secret")
    server = socket.create_server(("127.0.0.1", 0))
    reached = []

    def serve():
        while True:
            try:
                connection, address = server.accept()
            except OSError:
                return
            reached.append(address)
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    course = Path(forward_pass.__file__).parents[1]
    places = {
        "{secret}": str(folder / "secret"),
        "{folder}": str(folder),
        "{course}": str(course),
        "{solutions}": str(course.parents[1] / "solutions" / "solutions_02_forward_pass.ipynb"),
        "{exercises}": forward_pass.__file__,
        "{port}": str(server.getsockname()[1]),
    }
    yield folder, places, reached
    server.close()


@pytest.fixture(scope="module", params=SANDBOXES or [pytest.param("none", marks=GET_ONE)])
def bench(request):
    made = Bench(request.param, Options(limits=UNHURRIED))
    yield made
    made.close()


def processes(world):
    """The processes that run what is inside, and have not ended."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(world).encode() in path.read_bytes():
                found.add(path.parent.name)
        except OSError:
            continue
    return found


def verdict(bench, places, handed):
    cells = list(handed.cells)
    for token, place in places.items():
        cells = [cell.replace(token, place) for cell in cells]
    (row,) = bench.judged(Task("somebody", "02_forward_pass", cells, ["forward"], SEED))
    return row


@pytest.mark.parametrize("handed", CLASS, ids=str)
def test_everybody_gets_what_they_deserve(bench, outside, monkeypatch, handed):
    monkeypatch.setattr(asking, "STATEMENT", 0.3)
    bench.inside.limits = UNHURRIED
    if ENDLESS.intersection(handed.deserves):
        monkeypatch.setattr(asking, "PATIENCE", 0.5)
        bench.inside.limits = SHORT
    row = verdict(bench, outside[1], handed)
    assert row["verdict"] in handed.deserves
    assert row["points"] == (3 if row["verdict"] == "right" else 0)


def test_a_damaged_process_costs_nobody_who_comes_after(bench, outside):
    right = next(handed for handed in CLASS if handed.name == "as it should be")
    assert verdict(bench, outside[1], right)["verdict"] == "right"
    bench.inside._process.stdin.write(b"\0" + b"no header".ljust(1000))
    assert verdict(bench, outside[1], right)["verdict"] == "right"


def test_nothing_is_left_behind(bench, outside):
    folder, places, reached = outside
    right = next(handed for handed in CLASS if handed.name == "as it should be")
    assert verdict(bench, places, right)["verdict"] == "right"
    assert reached == []
    assert {path.name for path in folder.iterdir()} == {"secret"}
    assert not Path("/tmp/minigraph-was-here").exists()
    assert not Path("/tmp/minigraph-link").is_symlink()
    assert processes(bench.inside.world.folder)
    bench.close()
    assert not processes(bench.inside.world.folder)
    assert not bench.inside.world.folder.exists()
