"""The catalogue of predictions, by name: one module to a lesson, found by itself."""

from importlib import import_module
from pkgutil import iter_modules

from ..prediction import Prediction, predictions_in

PREDICTIONS: dict[str, Prediction] = {}
for module in iter_modules(__path__):
    PREDICTIONS |= predictions_in(vars(import_module(f"{__name__}.{module.name}")))

__all__ = ["PREDICTIONS"]
