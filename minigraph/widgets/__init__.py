"""Widgets for the lessons: type an expression and see its graph; step through its passes; move the
inputs of a function and see its graph, its gradients and its tangent follow; follow the paths of
the chain rule; see how two shapes fit; step through the passes of the compiler; see the schedule of
a graph, and what a chain of layers keeps with checkpoints; follow optimizers over the landscape of
a loss, and train a network on points of the plane; look into the scopes of a graph; follow a
program's graph from input to input."""

from .bench import TrainingBench, training_bench
from .changes import ChangingGraph, changing_graph
from .checkpoints import CheckpointViewer, checkpoint_viewer
from .explorer import Explorer, explore
from .expression import ExpressionEditor, expression_editor
from .inspector import Inspector, inspect
from .landscape import LossLandscape, loss_landscape
from .learning import Learning, watch_learning
from .passes import PassViewer, pass_viewer
from .paths import PathExplorer, path_explorer
from .player import Player, play
from .schedules import ScheduleViewer, schedule_viewer
from .scopes import ScopeZoom, zoom
from .shapes import ShapeLens, shape_lens

__all__ = [
    "ChangingGraph",
    "CheckpointViewer",
    "Explorer",
    "ExpressionEditor",
    "Inspector",
    "Learning",
    "LossLandscape",
    "PassViewer",
    "PathExplorer",
    "Player",
    "ScheduleViewer",
    "ScopeZoom",
    "ShapeLens",
    "TrainingBench",
    "changing_graph",
    "checkpoint_viewer",
    "explore",
    "expression_editor",
    "inspect",
    "loss_landscape",
    "pass_viewer",
    "path_explorer",
    "play",
    "schedule_viewer",
    "shape_lens",
    "training_bench",
    "watch_learning",
    "zoom",
]
