"""An extension of Jupyter's server: opening a notebook of the course does not change it.

JupyterLab writes into each notebook that it opens which Python it met, marks it as changed, and
saves it after two minutes. So a page is told beforehand what it would find, and what it says of
Python is not saved: a notebook stays as it is until the learner changes it.

`etc/jupyter/` has it loaded where minigraph is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .lessons import course_folder
from .notebooks import ANY_PYTHON


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    contents = server.contents_manager
    contents.get = _telling(server, contents.get)
    contents.register_pre_save_hook(_as_it_was)


def _telling(server: Any, get: Callable[..., Any]) -> Callable[..., Any]:
    """Let the notebooks that a page gets name the Python that it will find."""
    from jupyter_server.utils import ensure_async

    async def told(path: str, *args: Any, **options: Any) -> Any:
        model = await ensure_async(get(path, *args, **options))
        metadata = _metadata(model)
        if metadata is not None and _bare(metadata) and _in_course(server.contents_manager, path):
            metadata |= await _python_here(server.kernel_spec_manager)
        return model

    return told


def _as_it_was(model: Any, path: str, contents_manager: Any, **more: Any) -> None:
    """Save what the course's notebooks say of Python: that it is any."""
    metadata = _metadata(model)
    if metadata is None or not _in_course(contents_manager, path):
        return
    if metadata.get("kernelspec", {}).get("name") == ANY_PYTHON["kernelspec"]["name"]:
        metadata |= ANY_PYTHON


def _metadata(model: Any) -> Any:
    """The metadata of a notebook, if a model has its content."""
    content = model.get("content") if model.get("type") == "notebook" else None
    return content.get("metadata") if content else None


def _bare(metadata: Any) -> bool:
    return {key: metadata.get(key) for key in ANY_PYTHON} == ANY_PYTHON


def _in_course(contents: Any, path: str) -> bool:
    return course_folder(Path(contents.root_dir, path.strip("/")).parent) is not None


async def _python_here(kernels: Any) -> dict[str, Any]:
    """What JupyterLab will say of the kernel."""
    from ipykernel.ipkernel import IPythonKernel
    from jupyter_server.utils import ensure_async

    name = ANY_PYTHON["kernelspec"]["name"]
    spec = await ensure_async(kernels.get_kernel_spec(name))
    return {
        "kernelspec": {"display_name": spec.display_name, "language": spec.language, "name": name},
        "language_info": IPythonKernel.language_info,
    }
