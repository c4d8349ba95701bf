"""A real JupyterLab in a real browser, so that tests can look at what a student sees.

`jupyterlab` serves a folder, `chromium` starts a headless browser, and `notebook` opens one of the
folder's notebooks as a `Notebook`: run it, type into it, and read what the kernel said on any of
its channels. JupyterLab is loaded once for all that a window shows, and one kernel runs them: a
notebook is closed before the next one opens, and the kernel forgets what it knew but what it has
imported. When a test fails inside `notebook`, a screenshot is kept and its path stands in pytest's
report; the next notebook finds a JupyterLab that was loaded anew, and a kernel of its own.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_GET = (
    "install your system's chromium package, run `python3 -m playwright install chromium`, "
    "or let CHROMIUM name a browser's path"
)
FLAGS = [
    "--no-sandbox",  # root in a container has no user namespace to build the sandbox from
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    # Every cell is in the page, not only those on the screen.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}
# Of what may be installed, no test needs this: it takes time at the start of the server or of the
# page, and whenever a notebook opens.
UNSERVED = (
    "jupyter_lsp",
    "jupyter_server_terminals",
    "notebook",
    "notebook_shim",
    "nbgrader.server_extensions.assignment_list",
    "nbgrader.server_extensions.course_list",
    "nbgrader.server_extensions.formgrader",
    "nbgrader.server_extensions.validate_assignment",
)
UNUSED = """
    audio console csvviewer debugger extensionmanager fileeditor htmlviewer hub imageviewer launcher
    logconsole lsp markdownviewer metadataform pluginmanager terminal tooltip video
"""
SIZE = {"width": 1200, "height": 900}
STILL = {"reduced_motion": "reduce"}
SECONDS_TO_START = 120
MILLISECONDS_TO_APPEAR = 60_000

# Resolves when the notebook is on the screen and its kernel is idle. From then on every error that
# the kernel reports is kept, on whichever channel: tracebacks of widget callbacks reach iopub only,
# never the page.
OPEN = """async (path) => {
  const app = window.jupyterapp;
  await app.restored;
  const until = async (what, ready) => {
    for (let tries = 0; tries < 900; tries++) {
      const found = ready();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`waited in vain for ${what}`);
  };
  const { sessions, kernels } = app.serviceManager;
  await sessions.refreshRunning(); // a test may have ended the kernel
  const running = [...kernels.running()].find(({ id }) => id === window.kernel);
  const options = { path, factory: 'Notebook', ...running && { kernel: running } };
  const panel = await app.commands.execute('docmanager:open', options);
  await panel.revealed;
  await panel.context.ready;
  await panel.sessionContext.ready;
  const kernel = await until('a kernel', () => panel.sessionContext.session?.kernel);
  await until('an idle kernel', () => kernel.status === 'idle');
  window.panel = panel;
  window.kernel = kernel.id;
  window.kernelErrors = [];
  const keep = (text) => window.kernelErrors.push(text);
  kernel.anyMessage.connect((_, { direction, msg: { content, header } }) => {
    if (direction !== 'recv') return;
    const kind = header.msg_type;
    if (kind === 'error') keep(`${content.ename}: ${content.evalue}`);
    // A failed cell is reported twice: as this reply, and as the error message above.
    else if (content.status === 'error' && kind !== 'execute_reply')
      keep(`${kind}: ${content.ename}: ${content.evalue}`);
    // The widget manager asks at its start for widgets of an earlier page; none is a fine answer.
    else if (kind === 'stream' && content.name === 'stderr')
      content.text.startsWith('No such comm') || keep(content.text);
  });
}"""
# A kernel that a test has ended, or that is not the one that goes on, has nothing to forget.
CLOSE = """async (code) => {
  for (const document of [...window.jupyterapp.shell.widgets('main')]) {
    if (!document.context) continue;
    const kernel = document.sessionContext?.session?.kernel;
    if (kernel?.id === window.kernel)
      await kernel.requestExecute({ code, silent: true, store_history: false }).done;
    else await document.sessionContext?.shutdown();
    document.context.model.dirty = false; // else it asks whether to save
    document.close();
  }
}"""
FORGET = """
import ipywidgets
ipywidgets.Widget.close_all()
%reset -f
"""


def executable() -> str | None:
    """Find a Chromium: the one that CHROMIUM names, the system's, or Playwright's own."""
    if named := os.environ.get("CHROMIUM"):
        return named
    if installed := next(filter(None, map(shutil.which, BROWSERS)), None):
        return installed
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def program(module: str) -> list[str]:
    """How to start the main function of one of Jupyter's modules.

    It goes without a grammar of addresses that takes seconds to make, and checks none here.
    """
    without = "import sys; sys.modules['rfc3987_syntax'] = None"
    return [sys.executable, "-c", f"{without}; from {module} import main; main()"]


@contextmanager
def chromium() -> Iterator:
    """Start a headless Chromium and close it afterwards."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=MILLISECONDS_TO_APPEAR)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        yield browser
        browser.close()


def window(browser):
    """A window of a browser, with nothing open in it.

    What is drawn in it does not move: what moves is drawn again without end, also while a test
    waits for something else.
    """
    return browser.new_context(viewport=SIZE, **STILL)


@contextmanager
def jupyterlab(root: Path, scratch: Path) -> Iterator[str]:
    """Serve `root` with JupyterLab and yield its address.

    Everything that JupyterLab writes about itself goes to `scratch`, so that no setting, workspace
    or signature of the person who runs the tests plays a part: every notebook opens untrusted.
    """
    places = {
        "JUPYTER_CONFIG_DIR": scratch / "config",
        "JUPYTER_DATA_DIR": scratch / "data",
        "JUPYTER_RUNTIME_DIR": scratch / "runtime",
        "JUPYTERLAB_WORKSPACES_DIR": scratch / "workspaces",
        "JUPYTERLAB_SETTINGS_DIR": scratch / "settings",
        "IPYTHONDIR": scratch / "ipython",
    }
    overrides = scratch / "config/labconfig/default_setting_overrides.json"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(json.dumps(SETTINGS))
    unused = {f"@jupyterlab/{name}-extension": True for name in UNUSED.split()}
    page = overrides.with_name("page_config.json")
    page.write_text(json.dumps({"disabledExtensions": unused}))
    command = program("jupyterlab.labapp")
    command += ["--no-browser", "--allow-root", "--expose-app-in-browser"]
    options = ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={root}"]
    # As where minigraph is installed, whatever else is.
    extensions = dict.fromkeys(UNSERVED, False) | {"minigraph.course.opening": True}
    options.append(f"--ServerApp.jpserver_extensions={extensions}")
    log = scratch / "jupyterlab.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command + options,
            env=os.environ | {name: str(place) for name, place in places.items()},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        record = places["JUPYTER_RUNTIME_DIR"] / f"jpserver-{server.pid}.json"
        started = time.monotonic()
        while not record.exists() or not record.read_text().strip().endswith("}"):
            if server.poll() is not None or time.monotonic() - started > SECONDS_TO_START:
                raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")
            time.sleep(0.1)
        info = json.loads(record.read_text())
        yield f"{info['url']}lab?reset&token={info['token']}"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def notebook(window, address: str, path: str, screenshots: Path) -> Iterator["Notebook"]:
    """Open a notebook of the served folder; keep a screenshot if the test fails meanwhile."""
    page = window.pages[0] if window.pages else _loaded(window, address)
    try:
        page.evaluate(OPEN, path)
        yield Notebook(page)
        page.evaluate(CLOSE, FORGET)
    except Exception as error:
        picture = screenshots / f"{Path(path).stem}.png"
        page.screenshot(path=picture)
        error.add_note(f"What the page looked like: {picture}")
        page.close()
        raise


def _loaded(window, address: str):
    """JupyterLab in a new page of a window."""
    page = window.new_page()
    page.set_default_timeout(MILLISECONDS_TO_APPEAR)
    page.goto(address)
    page.wait_for_function("window.jupyterapp !== undefined")
    return page


class Notebook:
    """A notebook that is open in JupyterLab. Cells are counted from 0, Markdown cells included."""

    def __init__(self, page):
        self.page = page
        self._errors_seen = 0

    def run_all(self):
        """Run every cell and wait until the kernel has answered the last one."""
        self.page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def run(self, cell: int):
        """Run one cell and wait for its answer."""
        self.page.evaluate(
            """async (index) => {
              window.panel.content.deselectAll();
              window.panel.content.activeCellIndex = index;
              await window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            cell,
        )

    def type(self, cell: int, source: str):
        """Replace a cell's source as a student does: click into it, select all, type."""
        editor = self.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".cm-content")
        editor.click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)

    def find(self, text: str) -> int:
        """Return the number of the only cell whose source contains `text`."""
        sources = self.page.evaluate(
            "window.panel.content.widgets.map((widget) => widget.model.sharedModel.getSource())"
        )
        (found,) = (number for number, source in enumerate(sources) if text in source)
        return found

    def output(self, cell: int):
        """Return the locator of what a cell shows below itself."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".jp-Cell-outputArea")

    def trusted(self) -> bool:
        """Say whether JupyterLab trusts any cell of this notebook."""
        return self.page.evaluate(
            "window.panel.content.widgets.some((w) => w.model.type === 'code' && w.model.trusted)"
        )

    def new_errors(self) -> list[str]:
        """Return what the kernel reported as an error, on any channel, since the last call."""
        errors = self.page.evaluate("window.kernelErrors")
        new, self._errors_seen = errors[self._errors_seen :], len(errors)
        return new


def pictures(place) -> list[dict]:
    """Return the text alternative and the own width of every picture in a locator's elements."""
    images = place.locator("img")
    images.first.wait_for()
    place.page.wait_for_function("[...document.images].every((image) => image.complete)")
    return images.evaluate_all(
        "(images) => images.map((image) => ({ alt: image.alt, width: image.naturalWidth }))"
    )
