"""Networks that learn: modules, layers, optimizers, and `fit`.

    from minigraph import data, nn

    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(64, 64, rng=rng), nn.ReLU(), nn.Linear(64, 10, rng=rng))
    optimizer = nn.Adam(model.parameters(), learning_rate=3e-3)
    for x, y in data.digits().train.batches(64, rng):
        loss = mg.cross_entropy(model(x), y)
        optimizer.zero_grad(); loss.backward(); optimizer.step()

Read `module.py`, `layers.py` with `initial.py`, and `optimizers.py`: that is a network that learns.
`dropout.py` and `sequences.py` have more layers, `schedules.py` and `clipping.py` what else steps
may need. `training.py` is `fit`, which `steps.py` and `history.py` serve. `checks.py` says what is
refused, `saving.py` reads and writes files. Names and defaults are PyTorch's where it has them.
"""

from .clipping import clip_gradients
from .dropout import Dropout
from .history import Epoch, History
from .layers import GELU, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sigmoid, Tanh
from .module import Module, Sequential
from .optimizers import SGD, Adam, AdamW, Optimizer
from .schedules import cosine, stepwise
from .sequences import AttentionHead, Embedding, LayerNorm, RNNCell
from .training import fit, score

__all__ = [
    "GELU",
    "SGD",
    "Adam",
    "AdamW",
    "AttentionHead",
    "Conv2d",
    "Dropout",
    "Embedding",
    "Epoch",
    "Flatten",
    "History",
    "LayerNorm",
    "Linear",
    "MaxPool2d",
    "Module",
    "Optimizer",
    "RNNCell",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "clip_gradients",
    "cosine",
    "fit",
    "score",
    "stepwise",
]
