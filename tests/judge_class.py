"""A class that tries everything: submissions to `forward`, and what each deserves.

A submission is a few cells of code. An attack is written so that its function answers rightly only
if the attack has failed: then "right" says that it was held off, and "wrong" that it went through.
"""

import textwrap
from dataclasses import dataclass

from minigraph.judge import sandboxes
from minigraph.judge.selftest import FIRST, HONEST, PROBES, probing

SANDBOXES = [sandbox.name for sandbox in sandboxes.SANDBOXES if not sandbox.refusal()]
AROUND = [*SANDBOXES, sandboxes.NONE.name][0]  # what stands around those who attack nothing
RIGHT = HONEST.replace("honest", "forward")
STUB = """
def forward(graph, inputs):
    # YOUR CODE HERE
    ...
"""


@dataclass(frozen=True)
class Handed:
    """What somebody hands in: a name for it, the cells, and the verdicts that are deserved."""

    name: str
    cells: tuple
    deserves: tuple

    def __str__(self):
        return self.name


CLASS = []


def handed(name, deserves, *cells):
    verdicts = deserves if isinstance(deserves, tuple) else (deserves,)
    CLASS.append(Handed(name, (FIRST, *cells), verdicts))


def body(code, before=""):
    """A function with this body."""
    return (
        HONEST + before + "\ndef forward(graph, inputs):\n" + textwrap.indent(code.strip(), "    ")
    )


def attack(name, code):
    """An attack inside of the function; it is answered rightly if it raises."""
    handed(name, "right", probing(code))


# --- honest, in all the ways that students write --------------------------------------------------

handed("as it should be", "right", RIGHT)
handed("a lambda", "right", HONEST + "forward = lambda graph, inputs: honest(graph, inputs)")
handed("a partial", "right", HONEST + "from functools import partial\nforward = partial(honest)")
handed(
    "a method",
    "right",
    HONEST + "class A:\n    def go(self, g, i): return honest(g, i)\nforward = A().go",
)
handed(
    "an object that can be called",
    "right",
    HONEST + "class A:\n    def __call__(self, g, i): return honest(g, i)\nforward = A()",
)
handed(
    "cached",
    "right",
    HONEST
    + "from functools import wraps\ndef deco(f):\n    @wraps(f)\n    def g(*a): return f(*a)\n    return g\n@deco\ndef forward(graph, inputs): return honest(graph, inputs)",
)
handed(
    "a recursion",
    "right",
    "def forward(graph, inputs):\n    def value(x):\n        if x in inputs: return inputs[x]\n        op, *xs = graph[x]\n        return compute[op](*map(value, xs))\n    return {x: value(x) for x in [*inputs, *graph]}",
)
handed(
    "an ordered dictionary",
    "right",
    HONEST
    + "from collections import OrderedDict\nforward = lambda g, i: OrderedDict(honest(g, i))",
)
handed(
    "numbers of NumPy's",
    "right",
    HONEST + "forward = lambda g, i: {k: np.float64(v) for k, v in honest(g, i).items()}",
)
handed(
    "arrays of one number",
    "right",
    HONEST + "forward = lambda g, i: {k: np.array([v]) for k, v in honest(g, i).items()}",
)
handed(
    "in one thread",
    "right",
    HONEST
    + "import threading\ndef forward(g, i):\n    out = []\n    t = threading.Thread(target=lambda: out.append(honest(g, i)))\n    t.start(); t.join()\n    return out[0]",
)
handed(
    "in a pool of threads",
    "right",
    HONEST
    + "from concurrent.futures import ThreadPoolExecutor\ndef forward(g, i):\n    with ThreadPoolExecutor(2) as pool: return pool.submit(honest, g, i).result()",
)
handed(
    "with a warning",
    "right",
    HONEST
    + "import warnings\ndef forward(g, i):\n    warnings.warn('careful')\n    return honest(g, i)",
)
handed(
    "talkative",
    "right",
    HONEST + "def forward(g, i):\n    print('computing', g)\n    return honest(g, i)",
)
handed(
    "in pieces, with magics",
    "right",
    "%matplotlib inline\n!pip install numpy\nimport matplotlib.pyplot as plt",
    "%%time\n" + HONEST,
    "fig, ax = plt.subplots()\nax.plot([1, 2])\nplt.show()",
    "def forward(graph, inputs):\n    return honest(graph, inputs)\nforward?",
)
handed(
    "with widgets and displays",
    "right",
    "from IPython.display import display, HTML\nfrom ipywidgets import interact\ndisplay(HTML('<b>x</b>'))\n@interact(x=(0, 1))\ndef show(x): ...",
    RIGHT,
)
handed(
    "decorated by what is not here",
    "right",
    "from ipywidgets import interact\n"
    + HONEST
    + "@interact\ndef forward(graph, inputs):\n    return honest(graph, inputs)",
)
handed("asks a question", "right", "name = input('Who are you?')\n" + RIGHT)
handed(
    "waits for something",
    "right",
    "import asyncio\nawait asyncio.sleep(0)\nasync def f(): return 1\nx = await f()\n" + RIGHT,
)
handed("an error in a cell before", "right", "1 / 0", RIGHT)
handed("an error in the same cell before", "right", "undefined_name\n" + RIGHT)
handed("an error in a cell after", "right", RIGHT, "raise ValueError")
handed("a cell that Python does not understand", "right", "def broken(:\n  x", RIGHT, "and ] so on")
handed("ends in a cell", "right", "exit()", RIGHT, "import sys; sys.exit(3)", "quit()")
handed("looks in vain for a file", "right", "data = open('data.csv').read()\n" + RIGHT)
handed("writes a file beside", "right", "open('notes.txt', 'w').write('x')\n" + RIGHT)
handed("the stub first, then the answer", "right", STUB, RIGHT)
handed(
    "a result of the same name",
    "right",
    RIGHT,
    "forward = forward({'y': ('+', 'a', 'b')}, {'a': 1, 'b': 2})",
)
handed("a check of its own that fails", "right", RIGHT, "assert forward({}, {}) == 3")
handed(
    "a check that is raised",
    "right",
    RIGHT,
    "check('forward', forward)\nfrom minigraph.course import CheckFailed\nraise CheckFailed('x')",
)
handed(
    "unicode",
    "right",
    HONEST + "def größe(γραφή, входы): return honest(γραφή, входы)\nforward = größe",
)
handed(
    "annotations of the future",
    "right",
    "from __future__ import annotations\ndef forward(graph: Graf, inputs: Wert) -> Nix:\n"
    + "\n".join(RIGHT.strip().splitlines()[1:]),
)
handed("a long loop in a cell", "right", "while True:\n    pass", RIGHT)
handed(
    "a loop that catches everything in a cell",
    "right",
    "while True:\n    try:\n        1 / 0\n    except Exception:\n        pass",
    RIGHT,
)
handed("many long loops in cells", "right", *["for _ in range(10**10): pass"] * 40, RIGHT)
handed(
    "a progress bar of notebooks",
    "right",
    HONEST
    + "from tqdm.notebook import tqdm\ndef forward(g, i):\n    for _ in tqdm(g): ...\n    return honest(g, i)",
)
handed("indented as it was copied", "right", textwrap.indent(RIGHT, "    "))
handed("sleeps in a cell", "right", "import time\nfor _ in range(3): time.sleep(0.01)", RIGHT)

# --- honest, and not right ------------------------------------------------------------------------

handed("not begun", "not started", STUB)
handed("only dots", "not started", "def forward(graph, inputs): ...")
handed("not implemented", "not started", "def forward(graph, inputs): raise NotImplementedError")
handed("not there", "missing", "x = 1")
handed("under another name", "missing", HONEST)
handed("right, and then wrong", "wrong", RIGHT, "def forward(graph, inputs): return {}")
handed("returns nothing", "wrong", body("honest(graph, inputs)"))
handed("one argument too few", "wrong", "def forward(graph): return {}")
handed("prints in place of returning", "wrong", body("print(honest(graph, inputs))"))
handed("a generator", "wrong", body("yield honest(graph, inputs)"))
handed(
    "a coroutine",
    "wrong",
    HONEST + "async def forward(graph, inputs): return honest(graph, inputs)",
)
handed(
    "texts for numbers",
    "wrong",
    body("return {k: str(v) for k, v in honest(graph, inputs).items()}"),
)
handed("a list of pairs", "wrong", body("return list(honest(graph, inputs).items())"))
handed("the class itself", "wrong", "class forward:\n    def __init__(self, graph, inputs): ...")
handed(
    "Nodes for numbers",
    "wrong",
    body("return {k: mg.variable(float(v)) for k, v in honest(graph, inputs).items()}"),
)
handed(
    "changes what it is given", "wrong", body("inputs.update(honest(graph, inputs))\nreturn inputs")
)
handed("empties the graph", "wrong", body("out = honest(graph, inputs)\ngraph.clear()\nreturn out"))
handed(
    "right but for the third call",
    "wrong",
    body("global n\nn += 1\nreturn {} if n == 3 else honest(graph, inputs)", "n = 0"),
)
handed(
    "the shown example by heart",
    "wrong",
    body("return {'a': 2, 'b': 3, 'd': 5, 'e': math.sin(5), 'y': math.sin(5) * 2}"),
)
handed(
    "keeps the first answer",
    "wrong",
    body("global kept\nkept = kept or honest(graph, inputs)\nreturn kept", "kept = None"),
)
handed("raises", "wrong", body("raise KeyError('<script>alert(1)</script>')"))
handed(
    "an error that cannot be written",
    "wrong",
    body("class E(Exception):\n    def __str__(self): raise ValueError\nraise E"),
)
handed(
    "recursion without end", "wrong", "def forward(graph, inputs): return forward(graph, inputs)"
)

# --- without end, without bounds ------------------------------------------------------------------

handed("computes for ever", "too slow", body("while True: pass"))
handed(
    "catches everything for ever",
    "too slow",
    body("while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
)
handed("computes for ever in C", "too slow", body("return sum(range(10 ** 13))"))
handed(
    "a number without end", ("too slow", "out of memory", "wrong"), body("return 10 ** 10 ** 10")
)
handed("waits for ever", "too slow", body("import time\ntime.sleep(10 ** 6)"))
handed(
    "ignores signals and waits",
    "too slow",
    body(
        "import signal, time\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass"
    ),
)
handed(
    "all memory",
    ("out of memory", "wrong"),
    body("return [bytearray(2 ** 30) for _ in range(100)]"),
)
handed("all memory at once", ("out of memory", "wrong"), body("return np.ones(10 ** 12)"))
handed("prints without end", "too slow", body("while True: print('x' * 1000)"))
handed(
    "writes without end on every pipe",
    ("too slow", "crashed"),
    body(
        "import os\nwhile True:\n    for fd in range(3, 64):\n        try: os.write(fd, b'x' * 65536)\n        except OSError: pass"
    ),
)
handed(
    "items without end",
    ("too slow", "wrong"),
    body("import itertools\nreturn {'y': itertools.count()}"),
)
handed("holds itself", "wrong", body("x = []\nx.append(x)\nreturn x"))
handed("a dictionary that holds itself", "wrong", body("x = {}\nx['y'] = x\nreturn x"))
handed("very deep", "wrong", body("x = 1\nfor _ in range(100000): x = [x]\nreturn {'y': x}"))
handed(
    "very large",
    ("wrong", "out of memory", "too slow"),
    body("return {str(n): 1.0 for n in range(3 * 10 ** 6)}"),
)
handed("not a number", "wrong", body("return dict.fromkeys(honest(graph, inputs), float('nan'))"))
handed("ends Python", "crashed", body("import os\nos._exit(0)"))
handed("ends Python in a cell", "right", "import os\nos._exit(0)", RIGHT)
handed("leaves", "wrong", body("raise SystemExit(0)"))
handed("a segmentation fault", "crashed", body("import ctypes\nctypes.string_at(0)"))
handed("a segmentation fault in a cell", "right", "import ctypes\nctypes.string_at(0)", RIGHT)
handed("aborts", ("crashed", "too slow"), body("import os\nos.abort()"))
handed(
    "too many threads",
    ("right", "wrong", "out of memory", "too slow", "crashed"),
    body(
        "import threading, time\nfor _ in range(10 ** 4): threading.Thread(target=time.sleep, args=(100,), daemon=True).start()\nreturn honest(graph, inputs)"
    ),
)

# --- forged ---------------------------------------------------------------------------------------

handed(
    "an answer that equals all",
    "wrong",
    body(
        "class A(dict):\n    def __eq__(self, other): return True\n    __hash__ = None\nreturn A()"
    ),
)
handed(
    "numbers that equal all",
    "wrong",
    body(
        "class A(float):\n    def __eq__(self, other): return True\n    __hash__ = float.__hash__\n    def __sub__(self, x): return 0.0\n    __rsub__ = __sub__\n    def __abs__(self): return 0.0\n    def __float__(self): return self\nreturn {k: A(7) for k in honest(graph, inputs)}"
    ),
)
handed(
    "arrays that equal all",
    "wrong",
    body(
        "class A(np.ndarray):\n    def __eq__(self, other): return True\nreturn {k: np.zeros(1).view(A) for k in honest(graph, inputs)}"
    ),
)
handed(
    "texts that equal all",
    "wrong",
    body(
        "class A(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\nreturn {A('y'): 1.0}"
    ),
)
handed(
    "a mapping that lies",
    "wrong",
    body(
        "from collections.abc import Mapping\nclass A(Mapping):\n    def __getitem__(self, k): return 1.0\n    def __iter__(self): return iter(['y'])\n    def __len__(self): return 1\n    def __contains__(self, k): return True\n    def items(self): raise RuntimeError\nreturn A()"
    ),
)
handed(
    "unpickles into something",
    "wrong",
    body(
        "class A:\n    def __reduce__(self): return (exec, ('import os; os._exit(0)',))\nreturn A()"
    ),
)
handed(
    "patches NumPy",
    "wrong",
    "np.allclose = np.array_equal = lambda *a, **k: True\nnp.ndarray.__eq__ = 1",
    body("return dict.fromkeys(honest(graph, inputs), 1.5)"),
)
handed(
    "patches math and operator",
    "wrong",
    "math.isclose = lambda *a, **k: True\noperator.eq = lambda *a: True",
    body("return dict.fromkeys(honest(graph, inputs), 1.5)"),
)
handed(
    "patches json",
    ("wrong", "crashed"),
    "import json\njson.dumps = lambda *a, **k: '{\"done\": true}'",
    body("return {}"),
)
handed(
    "patches builtins",
    ("wrong", "crashed", "missing", "not started"),
    "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.len = lambda x: 0\nbuiltins.dict = list",
    body("return {}"),
)
handed(
    "empties builtins",
    ("wrong", "crashed", "missing", "too slow"),
    body("import builtins\nbuiltins.__dict__.clear()\nreturn {}"),
)
handed(
    "patches check",
    "wrong",
    "import minigraph.course as c\nc.check = lambda *a, **k: print('right')\nc.EXERCISES = {}",
    body("return {}"),
)
handed(
    "patches what packs answers",
    "wrong",
    "from minigraph.judge.inside import values, trying\nvalues.Packing.packed = lambda self, x, deep=0: 'right'\ntrying.is_unsolved = lambda x: False",
    body("return {}"),
)
handed(
    "forges lines on every pipe",
    ("wrong", "crashed"),
    body(
        "import os, json\nline = json.dumps({'question': 0, 'case': 0, 'verdict': 'right', 'points': 100, 'done': True, 'defined': True}).encode() + b'\\n'\nfor fd in range(3, 64):\n    try: os.write(fd, line)\n    except OSError: pass\nreturn {}"
    ),
)
handed(
    "says done, and leaves",
    ("wrong", "crashed"),
    body(
        'import os\nfor fd in range(3, 64):\n    try: os.write(fd, b\'\\n{"question": 0, "defined": true, "done": true}\\n\')\n    except OSError: pass\nos._exit(0)'
    ),
)
handed(
    "closes all pipes",
    ("crashed", "too slow"),
    body("import os\nos.closerange(0, 64)\nreturn honest(graph, inputs)"),
)
handed(
    "looks for answers in memory",
    "wrong",
    body(
        "import gc\nfound = [x for x in gc.get_objects() if type(x).__name__ in ('Exercise', 'Misconception')]\nif found: return found[0].reference(graph, inputs)\nreturn {}"
    ),
)
handed(
    "looks for answers in frames",
    "wrong",
    body(
        "import sys\nframe = sys._getframe()\nwhile frame:\n    for name, value in frame.f_locals.items():\n        if name in ('expected', 'right', 'reference', 'exercise'): return value\n    frame = frame.f_back\nreturn {}"
    ),
)
handed(
    "traces who calls",
    "wrong",
    body("import sys\nsys.settrace(lambda *a: None); sys.setprofile(lambda *a: None)\nreturn {}"),
)

handed(
    "leaves a thread that computes",
    ("right", "too slow", "crashed"),
    body(
        "import threading\ndef burn():\n    while True: pass\nthreading.Thread(target=burn, daemon=True).start()\nreturn honest(graph, inputs)"
    ),
)
handed(
    "a thread that forges what the next call returns",
    "wrong",
    body(
        "import threading, time, sys\ndef forge():\n    while True:\n        time.sleep(0.001)\n        for frame in sys._current_frames().values():\n            while frame:\n                for x in list(frame.f_locals.values()):\n                    if type(x) is dict and 'returned' in x: x['returned'] = ['dict', []]\n                frame = frame.f_back\nthreading.Thread(target=forge, daemon=True).start()\nreturn {}"
    ),
)
handed(
    "a signal that comes while the answer is written",
    ("right", "wrong", "crashed"),
    body(
        "import signal\ndef raising(*_): raise SystemExit(0)\nsignal.signal(signal.SIGALRM, raising)\nsignal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)\nreturn honest(graph, inputs)"
    ),
)
handed(
    "forges lines at exit, and when it is deleted",
    ("wrong", "crashed"),
    body(
        'import atexit, os, threading\ndef forge(*_):\n    for fd in range(3, 64):\n        try: os.write(fd, b\'{"question": 0, "done": true}\\n\')\n        except OSError: pass\natexit.register(forge)\nthreading._register_atexit(forge)\nclass A(dict):\n    __del__ = forge\nreturn A()'
    ),
)
handed(
    "keeps all file descriptors",
    "right",
    body(
        "import os\nfor _ in range(2):\n    for fd in range(64):\n        try: os.dup(fd)\n        except OSError: pass\nreturn honest(graph, inputs)"
    ),
)
handed(
    "a number of a million digits",
    "wrong",
    body("return dict.fromkeys(honest(graph, inputs), 1 << 4 * 10 ** 6)"),
)
handed(
    "fractions and decimals without measure",
    "wrong",
    body(
        "from decimal import Decimal\nfrom fractions import Fraction\nreturn {k: (Fraction(1 << 300000, 3), Decimal('1E+999999'), Decimal('sNaN'))[n % 3] for n, k in enumerate(honest(graph, inputs))}"
    ),
)
handed(
    "objects that lie about their class",
    "wrong",
    body(
        "class A:\n    @property\n    def __class__(self): return float\n    def __float__(self): raise SystemExit\n    def __getattr__(self, name): return self\n    def __eq__(self, x): return True\n    __hash__ = None\nreturn {k: A() for k in honest(graph, inputs)}"
    ),
)
handed(
    "numbers that are registered as such",
    "wrong",
    body(
        "import numbers\nclass A:\n    def __int__(self): return self\n    def __index__(self): raise KeyboardInterrupt\nnumbers.Integral.register(A)\nreturn {k: A() for k in honest(graph, inputs)}"
    ),
)
handed(
    "arrays that lie about their bytes",
    "wrong",
    body(
        "class A(np.ndarray):\n    dtype = property(lambda self: np.dtype('f8'))\n    size = 1\n    def tobytes(self, *a): return b''\n    def ravel(self, *a): return [self] * 10 ** 6\n    def __array__(self, *a, **k): return np.array(['x'])\n    def __array_finalize__(self, x): pass\nreturn {k: np.zeros(3).view(A) for k in honest(graph, inputs)}"
    ),
)
handed(
    "a dictionary whose items never end",
    ("wrong", "too slow", "out of memory"),
    body(
        "class A(dict):\n    def items(self):\n        while True: yield 'y', 1.0\n    def __iter__(self):\n        while True: yield 'y'\n    keys = __iter__\nreturn A(honest(graph, inputs))"
    ),
)
handed(
    "generators for numbers",
    "wrong",
    body("return {k: (x for x in [v]) for k, v in honest(graph, inputs).items()}"),
)
handed(
    "ranges that never end",
    "wrong",
    body("return {k: range(10 ** 15) for k in honest(graph, inputs)}"),
)
handed(
    "a text of all memory",
    ("wrong", "out of memory"),
    body("return {k: 'x' * 2 ** 27 for k in honest(graph, inputs)}"),
)
handed(
    "changes locals of whoever calls by tracing",
    ("wrong", "crashed"),
    body(
        "import sys\ndef trace(frame, event, arg):\n    for name in ('answer', 'reply', 'called'):\n        if name in frame.f_locals: frame.f_locals[name] = {'returned': None, 'done': True}\n    return trace\nsys.settrace(trace)\nframe = sys._getframe()\nwhile frame:\n    frame.f_trace = trace\n    frame = frame.f_back\nreturn {}"
    ),
)
handed(
    "watches by sys.monitoring",
    ("wrong", "crashed"),
    body(
        "import sys\nif hasattr(sys, 'monitoring'):\n    m = sys.monitoring\n    m.use_tool_id(0, 'x')\n    m.set_events(0, m.events.PY_RETURN)\n    m.register_callback(0, m.events.PY_RETURN, lambda *a: 1 / 0)\nreturn {}"
    ),
)
handed(
    "deeper than the stack of C",
    ("crashed", "wrong", "out of memory", "too slow"),
    body(
        "import sys\nsys.setrecursionlimit(10 ** 9)\ndef down(x): return repr(down([x]))\nreturn down(1)"
    ),
)
handed(
    "raises in whoever calls, from a thread",
    ("wrong", "crashed", "too slow"),
    body(
        "import ctypes, threading, time\nmain = threading.main_thread().ident\ndef shoot():\n    while True:\n        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(main), ctypes.py_object(SystemExit))\n        time.sleep(0.0005)\nthreading.Thread(target=shoot, daemon=True).start()\nreturn {}"
    ),
)
handed(
    "changes a string, and the number one, in memory",
    ("wrong", "crashed"),
    body(
        "import ctypes\nctypes.memset(id('returned') + 48, ord('x'), 8)\nctypes.memset(id(1) + 24, 2, 1)\nreturn {}"
    ),
)
handed(
    "modules that are not what they were",
    ("wrong", "crashed"),
    "import sys\nclass Lie:\n    def __getattr__(self, name): return lambda *a, **k: True\nfor name in [*sys.modules]:\n    if 'judge' in name or name in ('json', 'numpy', 'os', '__main__'): sys.modules[name] = Lie()",
    body("return {}"),
)


# --- out of the process ---------------------------------------------------------------------------

for probes in PROBES.values():
    for title, code in probes.items():
        attack(title, code)
handed(
    "leaves a process in a cell",
    "right",
    "import os\nif os.fork() == 0:\n    import time\n    time.sleep(1000)",
    RIGHT,
)
