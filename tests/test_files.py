"""Files are written whole or not at all, errors name them, and names survive the way back."""

from __future__ import annotations

import base64
import errno
import json
import os
import pickle
import re
import stat
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import nbformat
import numpy as np
import pytest
from checks import EXPLORES
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated

import minigraph as mg
from minigraph.__main__ import main
from minigraph.course import releasing, run
from minigraph.course.releasing import release
from minigraph.course.run import run_notebook
from minigraph.graph import files


def graph_of(number, size=100):
    """A graph with an array too large to stand among the nodes; its value is number × size."""
    return mg.Graph(mg.sum(mg.variable(np.full(size, float(number)), name="w")))


def notebook_file(path, source="print(6 * 7)"):
    cell = nbformat.v4.new_code_cell(source)
    cell.pop("id", None)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], nbformat_minor=4), path)


# --- one file each --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ("net.epoch1", "net.epoch2"),
        ("lr0.1", "lr0.01"),
        ("a.json", "a.npz"),
        ("a", "a.json", "a.json.npz", "a.npz"),
        (".hidden", ".hidden.json"),
        ("größe 学.v1", "größe 学.v2"),
        ("two words", "two words.", "two  words"),
    ],
)
def test_no_saved_graph_takes_the_place_of_another(tmp_path, names):
    for number, name in enumerate(names, 1):
        graph_of(number).save(tmp_path / name)
    assert {file.name for file in tmp_path.iterdir()} == {*names}
    for number, name in enumerate(names, 1):
        assert mg.Graph.load(tmp_path / name).run() == 100.0 * number


def test_all_that_names_a_file_is_taken(tmp_path):
    class Place:
        def __fspath__(self):
            return str(tmp_path / "place.json")

    for place in (Place(), str(tmp_path / "text.json"), os.fsencode(tmp_path / "bytes.json")):
        graph_of(3).save(place)
        assert mg.Graph.load(place).run() == 300.0
        drawing = os.fsdecode(place).replace(".json", ".svg")
        mg.draw(mg.variable(1.0)).save(drawing)
        assert Path(drawing).read_text(encoding="utf-8").startswith("<svg")
    for wrong in (None, 3, 1.5, ["net.json"], mg.variable(1.0), b"x"[0]):
        for work in (graph_of(1).save, mg.Graph.load, mg.draw(mg.variable(1.0)).save):
            with pytest.raises(mg.NodeTypeError, match="a file is named by a text or a path, not"):
                work(wrong)


@pytest.mark.parametrize(
    "dtype", ["f8", "f4", "f2", "i8", "u8", "i4", "i2", "i1", "u1", "?", ">f8", ">i4"]
)
def test_large_arrays_of_every_dtype_come_back_to_the_last_bit(tmp_path, dtype):
    value = np.random.default_rng(0).integers(0, 2, (8, 3, 50)).astype(dtype)
    if value.dtype.kind == "f":
        value[0, 0, :5] = [np.nan, np.inf, -np.inf, -0.0, 1 / 3]
    x = mg.constant(value.transpose(2, 0, 1), name="x")
    mg.Graph(x).save(tmp_path / "x.json")
    (again,) = mg.Graph.load(tmp_path / "x.json").outputs
    assert (again.dtype.name, again.shape) == (x.dtype.name, x.shape)
    np.testing.assert_array_equal(again.value, x.value)
    np.testing.assert_array_equal(
        np.signbit(again.value.astype("f8")), np.signbit(x.value.astype("f8"))
    )
    assert not again.value.flags.writeable


# --- whole or not at all --------------------------------------------------------------------------


def save_graph(folder):
    graph_of(7, 5000).save(folder / "file.json")


def save_svg(folder):
    mg.draw(mg.variable(1.0) * 2).save(folder / "file.svg")


def save_dot(folder):
    mg.draw(mg.variable(1.0) * 2).save(folder / "file.dot")


def save_png(folder):
    pytest.importorskip("resvg_py", reason="pip install resvg-py")
    mg.draw(mg.variable(1.0) * 2).save(folder / "file.png")


def run_one(folder):
    def execute(client):
        client.nb.cells[0].outputs.append(nbformat.v4.new_output("stream", text="x" * 3000))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run.NotebookClient, "execute", execute)
        run_notebook(folder / "file.ipynb")


def release_all(folder):
    pytest.importorskip("nbgrader", reason='pip install "nbgrader>=0.9.5"')
    source = folder.parent / "source"
    source.mkdir()
    notebook_file(source / "a.ipynb", "x = 1")
    notebook_file(source / "file.ipynb", f"# {'x' * 3000}")
    release(source, folder)


WRITERS = [save_graph, save_svg, save_dot, save_png, run_one, release_all]
every_writer = pytest.mark.parametrize("work", WRITERS, ids=lambda work: work.__name__)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def standing(folder, work):
    """A folder with a good file of before, and what it holds."""
    folder.mkdir()
    for suffix in ("json", "svg", "dot", "png", "ipynb"):
        (folder / f"file.{suffix}").write_text("what was there before")
    if work is run_one:
        notebook_file(folder / "file.ipynb")
    return contents(folder)


@contextmanager
def files_no_longer_than(most):
    """As on a disk that is full after so many bytes of a file."""
    resource = pytest.importorskip("resource", reason="limits of a process are POSIX's")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@every_writer
def test_a_full_disk_leaves_what_was_there(tmp_path, work, monkeypatch):
    before = standing(tmp_path / "folder", work)
    write_all = files.write_all

    def on_a_full_disk(contents):
        with files_no_longer_than(200):
            write_all(contents)

    monkeypatch.setattr(files, "write_all", on_a_full_disk)
    monkeypatch.setattr(releasing, "write_all", on_a_full_disk)
    with pytest.raises(mg.FileError, match=r"\w\.\w+ cannot be written: ") as caught:
        work(tmp_path / "folder")
    assert isinstance(caught.value, OSError)
    assert caught.value.errno == errno.EFBIG
    assert contents(tmp_path / "folder") == before


@every_writer
@pytest.mark.parametrize("moment", ["fsync", "replace", "write"])
def test_an_interrupt_leaves_what_was_there(tmp_path, work, moment, monkeypatch):
    before = standing(tmp_path / "folder", work)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(*{
        "fsync": (files.os, "fsync", interrupted),
        "replace": (files.Path, "replace", interrupted),
        "write": (files, "_write_beside", interrupted),
    }[moment])  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path / "folder")
    assert contents(tmp_path / "folder") == before


@every_writer
def test_what_is_written_takes_the_place_and_leaves_nothing_beside(tmp_path, work):
    before = standing(tmp_path / "folder", work)
    work(tmp_path / "folder")
    after = contents(tmp_path / "folder")
    changed = {name for name in before if after[name] != before[name]}
    assert len(changed) == 1
    assert after.keys() - before.keys() <= {"a.ipynb"}


def test_an_interrupt_from_outside_leaves_one_whole_model_or_the_other(tmp_path):
    """Another process saves without end and is killed at some moment."""
    path = tmp_path / "net.json"
    graph_of(1, 50_000).save(path)
    code = (
        "import numpy as np, minigraph as mg\n"
        "graphs = [mg.Graph(mg.sum(mg.variable(np.full(50_000, n)))) for n in (2.0, 3.0)]\n"
        "print('go', flush=True)\n"
        f"while True: [g.save({str(path)!r}) for g in graphs]\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"go\n"
        for _ in range(20):
            assert mg.Graph.load(path).run() in (50_000.0, 100_000.0, 150_000.0)
    finally:
        process.kill()
        process.communicate()
    assert mg.Graph.load(path).run() in (50_000.0, 100_000.0, 150_000.0)


@pytest.mark.skipif(os.name != "posix", reason="permissions and links are POSIX's")
def test_permissions_and_links_stay(tmp_path):
    path, link = tmp_path / "net.json", tmp_path / "latest"
    graph_of(1).save(path)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    path.chmod(0o640)
    link.symlink_to("net.json")
    graph_of(2).save(link)
    assert link.is_symlink()
    assert mg.Graph.load(path).run() == 200.0
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert {file.name for file in tmp_path.iterdir()} == {"net.json", "latest"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no device that is always full")
def test_a_device_is_written_to_and_never_replaced():
    graph_of(1).save("/dev/null")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(mg.FileError, match=r"/dev/full cannot be written: no space left"):
        graph_of(1).save("/dev/full")


# --- errors that name the file --------------------------------------------------------------------


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    drawing = mg.draw(mg.variable(1.0))
    cases = [
        ("folder", IsADirectoryError, "folder cannot be written: it is a folder"),
        ("runs/net.json", FileNotFoundError, "cannot be written: there is no folder .*runs"),
        ("file/net.svg", OSError, r"file/net\.svg cannot be written: "),
        ("nul\0.json", OSError, r"nul\\x00\.json cannot be written: "),
        ("x" * 5000, OSError, "x cannot be written: "),
        ("", OSError, "cannot be written: it is a folder"),
    ]  # fmt: skip
    for name, kind, said in cases:
        for work in (graph_of(1).save, *[drawing.save] * name.startswith("file/")):
            with pytest.raises(mg.FileError, match=said) as caught:
                work(tmp_path / name if name else "")
            assert isinstance(caught.value, kind)
            assert "\n" not in str(caught.value)
            assert len(str(caught.value)) < 700
            assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "file"}


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may write anything")
def test_what_is_read_only_stays(tmp_path):
    graph_of(1).save(tmp_path / "net.json")
    (tmp_path / "net.json").chmod(0o444)
    with pytest.raises(PermissionError, match=r"net\.json cannot be written: "):
        graph_of(2).save(tmp_path / "net.json")
    tmp_path.chmod(0o555)
    with pytest.raises(PermissionError, match=r"new\.json cannot be written: permission denied"):
        graph_of(2).save(tmp_path / "new.json")
    tmp_path.chmod(0o755)
    assert mg.Graph.load(tmp_path / "net.json").run() == 100.0


def test_a_file_that_is_said_to_be_read_only_stays(tmp_path, monkeypatch):
    graph_of(1).save(tmp_path / "net.json")
    monkeypatch.setattr(files.os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="cannot be written: the file is read-only"):
        graph_of(2).save(tmp_path / "net.json")
    assert mg.Graph.load(tmp_path / "net.json").run() == 100.0


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"net\.json cannot be read: there is no such file"):
        mg.Graph.load(tmp_path / "net.json")
    with pytest.raises(IsADirectoryError, match="cannot be read: it is a folder"):
        mg.Graph.load(tmp_path)
    (tmp_path / "net.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(mg.FormatError, match=r"net\.json holds no graph: 'utf-8' codec"):
        mg.Graph.load(tmp_path / "net.json")


@pytest.mark.parametrize(
    ("suffix", "said"),
    [(".pdf", r"not \.pdf; write for example 'y\.svg'"), ("", r"without a suffix; .*'y\.svg'")],
)
def test_a_drawing_that_cannot_be_saved_says_how(tmp_path, suffix, said):
    with pytest.raises(mg.MinigraphError, match=said):
        mg.draw(mg.variable(1.0)).save(tmp_path / f"y{suffix}")
    with pytest.raises(mg.MinigraphError, match=r"write for example 'graph\.svg'"):
        mg.draw(mg.variable(1.0)).save("")


# --- files of before, and broken ones -------------------------------------------------------------


def file_of_before(folder, name="net.json", write=np.savez, **arrays):
    """A graph of version 1: large arrays in a .npz beside it."""
    rows = [{"variable": True, "stored": "n0", "name": "w"}]
    attrs = {"axis": None, "keepdims": False}
    rows.append({"op": "sum", "inputs": [0], "attrs": attrs})
    document = {"format": "minigraph graph", "version": 1, "outputs": 1, "inputs": [0]}
    (folder / name).write_text(json.dumps(document | {"nodes": rows}), encoding="utf-8")
    if arrays:
        with (folder / name).with_suffix(".npz").open("wb") as file:
            write(file, **arrays)
    return folder / name


def test_a_file_of_before_still_loads(tmp_path):
    value = np.arange(100.0)
    path = file_of_before(tmp_path, n0=value)
    graph = mg.Graph.load(path)
    assert graph.run() == 4950.0
    assert graph.run({"w": np.ones(100)}) == 100.0
    graph.save(path)  # and from now on needs the other no longer
    path.with_suffix(".npz").unlink()
    assert mg.Graph.load(path).run() == 4950.0


def test_broken_arrays_of_before_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"net\.npz cannot be read: there is no such file"):
        mg.Graph.load(file_of_before(tmp_path))
    wrong = [
        ({"n0": np.array([object()])}, "Object arrays cannot be loaded"),
        ({"n0": np.array(["text"])}, "there is no dtype 'str"),
        ({"n0": np.zeros(3, "c16")}, "there is no dtype 'complex128'"),
        ({"n0": np.zeros(3, [("x", "f8")])}, "there is no dtype"),
        ({"n0": np.zeros(3, "i8")}, "a variable holds floating-point numbers"),
        ({"n1": np.zeros(3)}, "'n0' is not among the stored arrays"),
    ]
    for arrays, said in wrong:
        path = file_of_before(tmp_path, **arrays)
        with pytest.raises(mg.FormatError, match=rf"net\.json holds no graph: node 0 .*{said}"):
            mg.Graph.load(path)
    path = file_of_before(tmp_path, n0=np.zeros(100))
    whole = path.with_suffix(".npz").read_bytes()
    for part in (b"", b"PK", whole[:50], whole[: len(whole) // 2], whole[:-1], whole[100:]):
        path.with_suffix(".npz").write_bytes(part)
        with pytest.raises(mg.FormatError, match=r"net\.json holds no graph"):
            mg.Graph.load(path)


def test_arrays_that_unpack_to_more_than_the_file_holds_are_refused(tmp_path):
    path = file_of_before(tmp_path, write=np.savez_compressed, n0=np.zeros(10_000_000))
    assert path.with_suffix(".npz").stat().st_size < 100_000
    with pytest.raises(mg.FormatError, match="its arrays are compressed"):
        mg.Graph.load(path)
    head = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little")
    head += (
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999, ), }".ljust(117) + b"\n"
    )
    with zipfile.ZipFile(path.with_suffix(".npz"), "w") as file:
        file.writestr("n0.npy", head + bytes(80))
    with pytest.raises(mg.FormatError, match=r"net\.json holds no graph: node 0"):
        mg.Graph.load(path)


def test_a_node_may_be_called_what_the_file_calls_its_arrays(tmp_path):
    for name in ("stored", '"stored"', '"stored": ', "arrays", "n0", "arr_0", "file", "base64"):
        w = mg.variable(np.arange(100.0), name=name)
        mg.Graph([w, mg.variable(1.0, name=f"{name}2")], [w]).save(tmp_path / "net.json")
        (again, _) = mg.Graph.load(tmp_path / "net.json").outputs
        assert (again.name, again.value.sum()) == (name, 4950.0)
        mg.Graph(mg.variable(1.0, name=name)).save(tmp_path / "small.json")
        assert mg.Graph.load(tmp_path / "small.json").outputs[0].name == name


def changed(document, **change):
    arrays = document["arrays"]["n0"]
    return {**document, "arrays": {"n0": {**arrays, **change}}}


def test_broken_arrays_in_the_file_are_refused(tmp_path):
    path = tmp_path / "net.json"
    graph_of(2).save(path)
    good = json.loads(path.read_text(encoding="utf-8"))
    assert good["version"] == 2
    short = base64.b64encode(bytes(799)).decode()
    cases = [
        (changed(good, base64="?"), "array 'n0': "),
        (changed(good, base64=None), "array 'n0': "),
        (changed(good, base64=short), "array 'n0': "),
        (changed(good, base64=short[:400]), "array 'n0': "),
        (changed(good, dtype="object"), "array 'n0': there is no dtype 'object'"),
        (changed(good, dtype=["f8"]), "array 'n0': there is no dtype"),
        (changed(good, dtype="float32"), "array 'n0': cannot reshape"),
        (changed(good, shape=[99]), "array 'n0': cannot reshape"),
        (changed(good, shape=[-1]), "array 'n0': a shape is a list of sizes"),
        (changed(good, shape=[10**30]), "array 'n0': "),
        (changed(good, shape=100), "array 'n0': a shape is a list of sizes"),
        ({**good, "arrays": {}}, "node 0 .*'n0' is not among the stored arrays"),
        ({**good, "arrays": {"n0": 5}}, "array 'n0': "),
        ({**good, "arrays": [1]}, "the arrays of a graph are an object"),
        ({**good, "version": 3}, "this graph has version 3; known is 1 or 2"),
        ({**good, "version": [1]}, r"this graph has version \[1\]; known is 1 or 2"),
    ]
    for document, said in cases:
        path.write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(mg.FormatError, match=rf"net\.json holds no graph: {said}"):
            mg.Graph.load(path)


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_file_is_a_graph_or_is_refused(tmp_path, seed):
    rng, path = Random(seed), tmp_path / "net.json"
    x = mg.placeholder("x", (3,))
    w = mg.variable(np.arange(300.0).reshape(3, 100), name="w")
    mg.Graph([mg.sum(mg.softmax(x @ w)), w[0, 1:]], [x, w]).save(path)
    good, accepted, changes = path.read_text(encoding="utf-8"), 0, 150 if EXPLORES else 75
    for _ in range(changes):
        path.write_text(mutated(good, rng), encoding="utf-8")
        graph = None
        with suppress(mg.FormatError, mg.FileError), np.errstate(all="ignore"):
            graph = mg.Graph.load(path)
        if graph is not None:
            accepted += 1
            graph.save(path)
            assert len(mg.Graph.load(path)) == len(graph)
    assert 0 < accepted < changes


# --- names ----------------------------------------------------------------------------------------

NAMES = [
    "a/b", "../../etc/passwd", "..", ".", "/", "a.b.c", "arr_0", "file", "stored", "n0", "0",
    "größe · 学 🦊", "e\u0301", "\u202eright to left", "zero\u200bwidth", "nul\x00", "esc\x1b[31m",
    "new\nline", "tab\t", " space ", "a\u2028b", "\ufeff", "\x7f", "A", "a", "İ", "i̇", "ß", "SS",
    '"', "\\", "'", "\\u0041", "{}", "[1]", "null", "NaN", "constructor", "__proto__", "$\\R$",
    "\ud800", "lone \udc00 low", "\udc00\ud800", "\ud83d\ude00", "x" * 100_000,
]  # fmt: skip


def check_names(names, folder):
    nodes = [mg.variable(float(i), name=name) for i, name in enumerate(names)]
    with mg.scope(f"s{names[0]}"):
        y = sum(nodes[1:], nodes[0] * 1.0).named(f"y{names[-1]}")
    unique = list({node.name: node for node in nodes}.values())
    mg.Graph(y, unique).save(folder / "net.json")
    loaded = mg.Graph.load(folder / "net.json")
    assert [x.name for x in loaded.inputs] == [x.name for x in unique]
    assert loaded.run({unique[-1].name: 1000.0}) == mg.Graph(y, unique).run({unique[-1]: 1000.0})
    for z in (mg.from_json(mg.to_json(y)), loaded.outputs[0]):
        before, after = mg.topological_order(y), mg.topological_order(z)
        assert [(n.name, n.scope) for n in before] == [(n.name, n.scope) for n in after]


def test_any_name_survives_the_way_there_and_back(tmp_path):
    check_names(NAMES, tmp_path)
    for name in NAMES:
        check_names([name], tmp_path)


@given(st.lists(st.text(st.characters(), min_size=1).filter(str.strip), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_random_names_survive_the_way_there_and_back(names):
    with tempfile.TemporaryDirectory() as folder:
        check_names(names, Path(folder))


def test_a_name_with_a_lone_surrogate_can_be_encoded():
    for name in ("\ud800", "lone \udc00 low", "\ud800\ud800\udc00"):
        text = mg.to_json(mg.variable(1.0, name=name))
        if name != "\ud800\ud800\udc00":
            text.encode()
        assert json.loads(text)["nodes"][0]["name"] == name
        assert mg.from_json(text).name == name


# --- commands -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, r"cannot be run: there is no such file"),
        ("folder", r"cannot be run: it is a folder"),
        (b"", r"cannot be run: it is no notebook: "),
        (b"not JSON", r"cannot be run: it is no notebook: "),
        (b"\xff\xfe\x00", r"cannot be run: it is no notebook: it is not UTF-8 text"),
        (b"[]", r"cannot be run: it is no notebook: "),
        (b"{}", r"cannot be run: it is no notebook: "),
        (b'{"cells": 5, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}', "it is no notebook"),
        (b'{"nbformat": 99}', "it is no notebook"),
        (
            "raise ValueError('first\\nsecond')",
            r"code cell 1 stops with ValueError: first second\n",
        ),
        ("class E(Exception): pass\nraise E", r"code cell 1 stops with E\n"),
    ],
)
def test_a_notebook_that_does_not_run_is_one_sentence(tmp_path, capsys, content, said):
    path = tmp_path / "lesson.ipynb"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, str):
        notebook_file(path, content)
    elif content is not None:
        path.write_bytes(content)
    before = path.read_bytes() if path.is_file() else None
    assert main(["run", str(path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"minigraph run: {path} cannot be run: ")
    assert re.search(said, error)
    assert error.count("\n") == 1
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_kernel_that_is_missing_is_one_sentence(tmp_path, monkeypatch):
    def execute(self):
        raise RuntimeError("No such kernel named python3\nand more")

    monkeypatch.setattr(run.NotebookClient, "execute", execute)
    notebook_file(tmp_path / "a.ipynb")
    with pytest.raises(run.RunError, match="cannot be run: No such kernel named python3"):
        run_notebook(tmp_path / "a.ipynb")


@pytest.mark.parametrize(
    ("content", "said"),
    [("folder", "it is a folder"), (b"\xff\xfe", "it is not UTF-8 text"), (b"[]", "no notebook")],
)
def test_a_notebook_that_cannot_be_released_is_one_sentence(tmp_path, capsys, content, said):
    pytest.importorskip("nbgrader", reason='pip install "nbgrader>=0.9.5"')
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "lesson.ipynb"
    if content == "folder":
        path.mkdir()
    else:
        path.write_bytes(content)
    assert main(["release", "--source", str(path.parent), "--destination", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"minigraph release: {path} cannot be released: ")
    assert said in error
    assert error.count("\n") == 1


def test_a_destination_that_is_a_file_is_named(tmp_path, capsys):
    pytest.importorskip("nbgrader", reason='pip install "nbgrader>=0.9.5"')
    (tmp_path / "in").mkdir()
    notebook_file(tmp_path / "in" / "a.ipynb", "x = 1")
    (tmp_path / "out").write_text("kept")
    folders = ["--source", str(tmp_path / "in"), "--destination", str(tmp_path / "out")]
    assert main(["release", *folders]) == 1
    assert "out cannot be made: " in capsys.readouterr().err
    assert (tmp_path / "out").read_text() == "kept"


def test_an_interrupted_command_says_so(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run_notebooks", interrupted)
    assert main(["run", "lesson.ipynb"]) == 130
    assert capsys.readouterr().err == "minigraph run: interrupted\n"


def test_running_without_jupyter_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "minigraph.course.run", None)
    assert main(["run", "lesson.ipynb"]) == 1
    assert 'pip install "minigraph[lab]"' in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["run"], ["nonsense"], ["release", "x"], ["doctor", "--x"]])
def test_wrong_arguments_are_told_without_a_traceback(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "graph.json")
    with pytest.raises(mg.FileError, match="cannot be read: it is a pipe or a device"):
        files.read(tmp_path / "graph.json")
