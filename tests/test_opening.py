"""What Jupyter's server does so that opening a notebook of the course does not change it."""

import asyncio
import copy
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from minigraph.course import opening
from minigraph.course.lessons import FIRST

ROOT = Path(__file__).parents[1]
ANY = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
OTHERS = {
    "another kernel": {"kernelspec": {"name": "julia"}, "language_info": {"name": "julia"}},
    "nothing": {},
    "of a certain Python": {**ANY, "language_info": {"name": "python", "version": "3.9.1"}},
}


class Contents:
    """A contents manager that has one notebook, in a folder of its own."""

    def __init__(self, root, metadata):
        self.root_dir = str(root)
        self.metadata = metadata
        self.hooks = []

    def register_pre_save_hook(self, hook):
        self.hooks.append(hook)

    def get(self, path, content=True):
        notebook = {"metadata": copy.deepcopy(self.metadata), "cells": []}
        return {"type": "notebook", "path": path, "content": notebook if content else None}


@pytest.fixture
def server(tmp_path):
    """Make a server with the extension, in a folder that is a course or none."""

    def make(metadata, course=True):
        if course:
            (tmp_path / FIRST.notebook).parent.mkdir()
            (tmp_path / FIRST.notebook).touch()
        spec = SimpleNamespace(display_name="Python 3 (mine)", language="python")
        kernels = SimpleNamespace(get_kernel_spec=lambda name: spec)
        made = SimpleNamespace(
            contents_manager=Contents(tmp_path, metadata), kernel_spec_manager=kernels
        )
        opening._load_jupyter_server_extension(made)
        return made.contents_manager

    return make


def opened(contents, **options):
    with ThreadPoolExecutor() as thread:  # the loop of a browser may run in this one
        return thread.submit(asyncio.run, contents.get("notebooks/x.ipynb", **options)).result()


def saved(contents, metadata):
    model = {"type": "notebook", "content": {"metadata": copy.deepcopy(metadata)}}
    for hook in contents.hooks:
        hook(model=model, path="notebooks/x.ipynb", contents_manager=contents)
    return model["content"]["metadata"]


def test_a_page_is_told_which_python_it_will_find_and_that_is_not_saved(server):
    contents = server({**ANY, "title": "kept"})
    metadata = opened(contents)["content"]["metadata"]
    assert metadata["kernelspec"]["display_name"] == "Python 3 (mine)"
    assert metadata["language_info"]["file_extension"] == ".py"
    assert saved(contents, {**metadata, "toc": 1}) == {**ANY, "title": "kept", "toc": 1}


@pytest.mark.parametrize("metadata", OTHERS.values(), ids=OTHERS)
def test_a_notebook_that_names_its_python_is_opened_as_it_is(server, metadata):
    assert opened(server(metadata))["content"]["metadata"] == metadata


def test_another_kernel_that_the_learner_chose_is_saved(server):
    metadata = OTHERS["another kernel"]
    assert saved(server(ANY), metadata) == metadata


def test_notebooks_of_other_folders_are_left_alone(server):
    contents = server(ANY, course=False)
    assert opened(contents)["content"]["metadata"] == ANY
    metadata = OTHERS["of a certain Python"]
    assert saved(contents, metadata) == metadata


def test_what_is_no_notebook_passes(server):
    contents = server(ANY)
    assert opened(contents, content=False)["content"] is None
    model = {"type": "file", "content": "text"}
    contents.hooks[0](model=model, path="a.txt", contents_manager=contents)
    assert model == {"type": "file", "content": "text"}


def test_the_package_brings_the_setting_that_loads_it():
    (path,) = ROOT.glob("etc/jupyter/jupyter_server_config.d/*.json")
    settings = json.loads(path.read_text(encoding="utf-8"))
    assert settings["ServerApp"]["jpserver_extensions"] == {opening.__name__: True}
    assert opening._jupyter_server_extension_points() == [{"module": opening.__name__}]
