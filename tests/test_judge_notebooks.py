"""Notebooks as the programs write them in which students work; what they hold is right."""

import json

import pytest
from judge_class import AROUND, FIRST, HONEST

from minigraph.course.exercises import EXERCISES
from minigraph.judge.collecting import cells_of, lesson_in, lessons_of
from minigraph.judge.judging import Bench, Options, Task

LESSONS = lessons_of(EXERCISES)
ANSWER = HONEST.replace("honest", "forward").strip() + "\n"
PICTURE = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * 2**20}}
STREAM = {"output_type": "stream", "name": "stdout", "text": ["[{,\n"] * 1000}


def lines(source):
    return source.splitlines(keepends=True)


def code(source, **more):
    made = {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": []}
    return made | {"source": source} | more


def text(*cells, minor=5, metadata=None, **more):
    made = {"nbformat": 4, "nbformat_minor": minor, "metadata": metadata or {}, "cells": [*cells]}
    return json.dumps(made | more)


COLAB = text(
    code(
        lines('#@title Setup { display-mode: "form" }\n!pip -q install minigraph'),
        metadata={"id": "x1"},
    ),
    code(
        lines("from google.colab import drive\ndrive.mount('/content/drive')\n%cd /content/drive")
    ),
    code(lines("%%shell\nls\n")),
    code(lines(FIRST), metadata={"id": "a", "outputId": "b", "colab": {"base_uri": "https://x"}}),
    code(lines('#@title Answer\nn = 3 #@param {type:"integer"}\n' + ANSWER), outputs=[PICTURE]),
    minor=0,
    metadata={
        "colab": {"provenance": [], "toc_visible": True, "gpuType": "T4"},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "accelerator": "GPU",
        "widgets": {"application/vnd.jupyter.widget-state+json": {"a": {"state": {"max": None}}}},
    },
)
VSCODE = text(
    {"cell_type": "raw", "metadata": {"vscode": {"languageId": "html"}}, "source": ["<b>"]},
    code(lines(FIRST), metadata={"vscode": {"languageId": "python"}}, outputs=[STREAM]),
    code(["# %%\n", *lines(ANSWER)], execution_count=None),
    minor=2,
    metadata={"language_info": {"name": "python", "version": "3.12.1"}, "orig_nbformat": 4},
)
DEEPNOTE = text(
    {"cell_type": "markdown", "metadata": {"deepnote_cell_type": "text-cell-h1"}, "source": "# A"},
    code(FIRST, metadata={"source_hash": "b623e53d", "execution_start": 1, "cell_id": "00000"}),
    code(
        "_dntk.execute_sql('SELECT 1', 'SQL_ALCHEMY')",
        metadata={"deepnote_cell_type": "sql", "deepnote_variable_name": "df"},
    ),
    code(ANSWER, metadata={"deepnote_to_be_reexecuted": False, "deepnote_cell_type": "code"}),
    metadata={"deepnote": {}, "deepnote_notebook_id": "7", "deepnote_execution_queue": []},
)
KAGGLE = text(
    code(
        "import numpy as np\nimport pandas as pd\nimport os\n"
        "for dirname, _, filenames in os.walk('/kaggle/input'):\n    print(filenames)",
        metadata={"_uuid": "8f2839f2", "_cell_guid": "b1076dfc", "trusted": True},
        outputs=[{"output_type": "execute_result", "data": {"text/plain": "nan"}}],
    ),
    code(FIRST, metadata={"trusted": True, "execution": {"iopub.status.busy": "2026"}}),
    code(ANSWER, metadata={"trusted": True}),
    minor=4,
    metadata={"kaggle": {"accelerator": "none", "dataSources": [], "isInternetEnabled": True}},
)
LITE = text(
    code("import piplite\nawait piplite.install('minigraph')", id="0a1b"),
    code("%pip install -q minigraph ipywidgets", id="0a1c"),
    code(FIRST, id="0a1d", metadata={"trusted": True}),
    code("import micropip, js\nfrom pyodide.http import open_url", id="0a1e"),
    code(ANSWER, id="0a1f"),
    metadata={"kernelspec": {"name": "python", "display_name": "Python (Pyodide)"}},
)
PLAIN = text(code(FIRST), code(ANSWER))

NOTEBOOKS = {
    "Colab": COLAB,
    "VS Code": VSCODE,
    "Deepnote": DEEPNOTE,
    "Kaggle": KAGGLE,
    "JupyterLite": LITE,
    **{
        f"format 4.{minor}": text(code(lines(FIRST)), code(lines(ANSWER)), minor=minor)
        for minor in range(6)
    },
    "a format to come": text(code(FIRST), code(ANSWER), minor=9, nbformat=5),
    "no format": json.dumps({"cells": [code(FIRST), code(ANSWER)]}),
    "lines of Windows": json.dumps(json.loads(PLAIN), indent=1).replace("\n", "\r\n"),
    "lines of Windows in cells": text(
        code(FIRST.replace("\n", "\r\n")), code(lines(ANSWER.replace("\n", "\r\n")))
    ),
    "lines of an old Mac in cells": text(
        code(FIRST.replace("\n", "\r")), code(ANSWER.replace("\n", "\r"))
    ),
    "a mark at its beginning": "\ufeff" + PLAIN,
    "two marks at its beginning": "\ufeff\ufeff" + PLAIN,
    "a mark in a cell": text(code("\ufeff" + FIRST), code("\ufeff" + ANSWER)),
    "UTF-16": PLAIN.encode("utf-16"),
    "empty lines around": "\n\n" + PLAIN + "\n\n\n",
    "no number": PLAIN.replace('"metadata": {}', '"metadata": {"a": NaN, "b": -Infinity}'),
    "half a character": text(code("# \ud83d\n" + FIRST), code(ANSWER + "# \udc00")),
    "large outputs": text(code(FIRST, outputs=[PICTURE] * 8), code(ANSWER, outputs=[STREAM] * 50)),
    "no metadata at all": json.dumps(
        {"cells": [{"cell_type": "code", "source": x} for x in (FIRST, ANSWER)]}
    ),
    "cells that are none": text(None, 3, code(FIRST), {"cell_type": "code"}, code(ANSWER), []),
    "sources that are none": text(code(3), code({}), code(FIRST), code([None, *lines(ANSWER)])),
    "an unknown kind of cell": text({"cell_type": "ai", "source": "?"}, code(FIRST), code(ANSWER)),
}


@pytest.fixture(scope="module")
def bench():
    made = Bench(AROUND, Options())
    yield made
    made.close()


@pytest.mark.parametrize("kind", NOTEBOOKS)
def test_an_answer_is_right_whatever_wrote_the_notebook(bench, kind):
    data = NOTEBOOKS[kind]
    cells = cells_of(
        data if isinstance(data, bytes) else data.encode(errors="surrogatepass"), "x.ipynb"
    )
    assert lesson_in(cells, "x.ipynb", LESSONS) == "02_forward_pass"
    (row,) = bench.judged(Task("somebody", "02_forward_pass", cells, ["forward"], 9))
    assert row["verdict"] == "right"
