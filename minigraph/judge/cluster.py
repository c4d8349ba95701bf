"""Judge on the workers of a Dask cluster: `--cluster tcp://…`.

A notebook goes there as text, and its rows come back. Each worker has a sandbox of its own, one for
each of its processes. The notebooks of a worker that is lost are judged again by another; one that
has taken several workers with it is given up.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

from ..errors import MinigraphError
from .judging import Bench, Options, Row, Task, lost
from .sandboxes import chosen

WAIT = 30  # seconds for a connection


class Cluster:
    """The workers of a Dask cluster, as a pool of the judge.

    Raises:
        MinigraphError: if Dask is not installed, or nothing answers at the address.
    """

    def __init__(self, address: str, sandbox: str, options: Options) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise MinigraphError(
                'judging on a cluster needs Dask: pip install "minigraph[dask]"'
            ) from None
        try:
            self._client = Client(address, set_as_default=False, timeout=WAIT)
        except (OSError, ValueError) as error:
            raise MinigraphError(f"no Dask cluster answers at {address}: {error}") from None
        self._sandbox, self._options = sandbox, options
        self._executor = self._client.get_executor(pure=False)

    @property
    def room(self) -> int:
        """Two tasks a thread, so that none waits."""
        return 2 * max(1, sum(self._client.nthreads().values()))

    def submit(self, task: Task) -> Future[list[Row]]:
        """Hand in a task; where it is judged is left to Dask."""
        outer: Future[list[Row]] = Future()
        inner = self._executor.submit(judged, task, self._sandbox, self._options)

        def done(future: Any) -> None:
            error = future.exception()
            if error is None:
                outer.set_result(future.result())
            elif type(error).__name__ == "KilledWorker":
                outer.set_result(lost(task, self._options))
            else:
                outer.set_exception(error)

        inner.add_done_callback(done)
        return outer

    def close(self) -> None:
        """Give up what still waits, and the connection."""
        self._executor.shutdown(wait=False)
        self._client.close()


_lock = threading.Lock()  # limits of memory hold for a whole process
_bench: tuple[tuple[str, Options], Bench] | None = None


def judged(task: Task, sandbox: str, options: Options) -> list[Row]:
    """Judge a notebook in this worker's own sandbox."""
    global _bench
    with _lock:
        wanted = sandbox, options
        if _bench is None or _bench[0] != wanted:
            import atexit

            if _bench:
                _bench[1].close()
            bench = Bench(chosen(sandbox).name, options)
            atexit.register(bench.close)
            _bench = wanted, bench
        return _bench[1].judged(task)
