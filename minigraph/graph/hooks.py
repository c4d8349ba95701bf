"""Hooks: a function of your own at the gradient of a Node, to look at it, to change it, or to stop.

x, w = mg.variable(3.0, name="x"), mg.variable(2.0, name="w")
h = mg.tanh(w * x)
h.hook(print)                             # look: prints the gradient in each backward pass
w.hook(lambda g: np.clip(g, -1, 1))       # change: what is returned stands in its place
with h.hook(stop_where_it_is_large):      # stop: what the function raises ends the pass
    (h * h).backward()

A hook is called once in each backward pass that reaches its Node, with the whole gradient, before
that is handed on, kept or added to what a variable has. So it is with `Tensor.register_hook` in
PyTorch, whose tensors a hook sees in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakSet, ref

from numpy import ndarray

from ..core.node import Node, checked_value, constant, frozen
from ..core.table import astype
from ..errors import GradientError, NodeTypeError
from ..errors.words import describe, printable

_HOOKED: WeakSet[Node] = WeakSet()  # so that a pass over a graph without hooks asks but once


class _Inputs(tuple[Node, ...]):
    """The inputs of a Node, and its hooks.

    They are kept by the Node itself, and not in a table of all hooks: a hook often knows its Node,
    and would keep it alive there. A place of their own would make each Node larger.
    """

    hooks: tuple[Hook, ...] = ()


class Hook:
    """A function at the gradient of a Node, until it is removed, or until the end of a `with`."""

    def __init__(self, node: Node, function: Callable[[Any], Any]) -> None:
        self.function = function
        self._node = ref(node)

    @property
    def name(self) -> str:
        """What messages call the function."""
        function = self.function
        return printable(getattr(function, "__name__", type(function).__name__)).strip("<>")

    def remove(self) -> None:
        """Take the function away. A second time changes nothing."""
        if (node := self._node()) is not None:
            _keep(node, tuple(hook for hook in hooks_of(node) if hook is not self))

    def called(self, node: Node, g: Any) -> Any:
        """The gradient of a Node after the function has seen it: the same, or what it returned.

        Given a Node, the function is called with a Node, as in `mg.grad`.
        """
        result = self.function(g.view() if type(g) is ndarray else g)
        if result is None:
            return g
        try:
            if isinstance(g, Node):
                made = result if isinstance(result, Node) else constant(result)
                made = made if made.dtype == node.dtype else astype(made, node.dtype)
            else:
                made = checked_value(result, node.dtype)
        except NodeTypeError as error:
            raise GradientError(f"{self._returned(node)} no gradient: {error}", (node,)) from None
        if made.shape != node.shape:
            raise GradientError(
                f"{self._returned(node)} a gradient of shape {made.shape}; a hook returns None to "
                "leave the gradient as it is, or another one of its shape",
                (node,),
            )
        return made

    def _returned(self, node: Node) -> str:
        return f"the hook {self.name} of {describe(node)} returned"

    def __enter__(self) -> Hook:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def __repr__(self) -> str:
        node = self._node()
        where = "of a Node that is gone" if node is None else f"of {describe(node)}"
        kept = () if node is None else hooks_of(node)
        return f"<hook {self.name} {where}{'' if self in kept else ', removed'}>"


def hook(self: Node, function: Callable[[Any], Any]) -> Hook:
    """Call a function with the gradient of this Node, in each backward pass that reaches it.

    The function is given the whole gradient, of the shape of the value: a number or a read-only
    array in `backward()`, `mg.record` and `mg.play`; a Node in `mg.grad`, where what it returns
    becomes part of the graph of the gradients. It returns None to leave the gradient as it is, or
    another one, which takes its place: at this Node, and in all that is handed on. What it raises
    ends the pass. Several hooks are called in the order in which they came, each with what the one
    before has left.

    Returns:
        A `Hook`: call its `remove()`, or use it in `with`, which removes it at the end.

    Raises:
        NodeTypeError: if it is no function.
        GradientError: if the Node has no gradient; and in the pass, if what the function returns is
            no gradient of this Node.
    """
    if not callable(function):
        raise NodeTypeError(
            f"a hook is a function of the gradient, not {type(function).__name__} {function!r:.40}",
            (self,),
        )
    if not self.requires_grad:
        raise GradientError(
            f"{describe(self)} has no gradient that a hook could see; it depends on no variable",
            (self,),
        )
    made = Hook(self, function)
    _keep(self, (*hooks_of(self), made))
    return made


def _keep(node: Node, hooks: tuple[Hook, ...]) -> None:
    """Let a Node have these hooks."""
    inputs = _Inputs(node.inputs)
    inputs.hooks = hooks
    node.inputs = inputs if hooks else tuple(node.inputs)
    (_HOOKED.add if hooks else _HOOKED.discard)(node)


def hooks_of(node: Node) -> tuple[Hook, ...]:
    """The hooks of a Node, in the order in which they are called."""
    return node.inputs.hooks if isinstance(node.inputs, _Inputs) else ()


def hooked(order: Iterable[Node]) -> list[Node]:
    """Those of some Nodes that have hooks."""
    return [node for node in order if hooks_of(node)] if _HOOKED else []


def passed(node: Node, g: Any) -> Any:
    """The gradient of a Node after all of its hooks have seen it."""
    for each in hooks_of(node):
        g = each.called(node, g)
    return g


class _Passing(dict[Node, Any]):
    """Gradients by Nodes; what a sweep takes out has passed the hooks."""

    def pop(self, node: Node, default: Any = None) -> Any:
        """Take out the gradient of a Node, which is complete then."""
        g = super().pop(node, default)
        return g if g is None or type(node.inputs) is tuple else passed(node, frozen(g))


def passing_hooks(cotangents: dict[Node, Any]) -> dict[Node, Any]:
    """The gradients that a sweep starts from, in a dict that calls the hooks if there are any."""
    return _Passing(cotangents) if _HOOKED else cotangents


Node.hook = hook
