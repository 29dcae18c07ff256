"""The attributes of Keras' own classes that nobody can assign, per generation.

Measured with Keras 3.15, tf_keras 2.21 and the Keras of TensorFlow 2.15: each property of
each class was given fourteen kinds of values in a constructor, before and after
`super().__init__()`. Those listed raise AttributeError for every one; properties with a
setter that takes some of them (`trainable`, `input_spec`, `dtype_policy` of Keras 3) are not.
"""

from __future__ import annotations

from collections.abc import Iterable

from savelint.keras.tables import Kind

_OF_BOTH = frozenset(
    """
    compute_dtype dtype input losses metrics non_trainable_variables non_trainable_weights output
    trainable_variables trainable_weights variable_dtype variables weights
    """.split()
)
_OF_LAYERS = {
    2: _OF_BOTH
    | frozenset(
        """
        dtype_policy dynamic inbound_nodes input_mask input_shape name name_scope outbound_nodes
        output_mask output_shape submodules updates _compute_dtype _expects_mask_arg
        _expects_training_arg
        """.split()
    ),
    3: _OF_BOTH | {"input_dtype", "metrics_variables"},
}
_OF_MODELS = {
    2: frozenset(
        "distribute_strategy layers metrics_names state_updates _compile_was_called".split()
    ),
    3: frozenset("compiled_metrics distribute_strategy layers metrics_names".split()),
}
# A functional model has them once its inputs and outputs are known, a Sequential always.
_OF_FUNCTIONAL = {
    2: frozenset[str](),
    3: frozenset("input_shape inputs output_shape outputs".split()),
}
# They hold None while a layer is new, and take that; nothing else.
_OF_NOTHING = {2: frozenset[str](), 3: frozenset({"path", "quantization_mode"})}
# Keras 2 takes a subclassed model that has them for one with a graph when it loads it.
_OF_GRAPHS = {2: frozenset({"inputs"}), 3: frozenset[str]()}
# Weights that Keras 3 computes, with what LoRA or quantization adds.
_OF_ONE_LAYER = {
    2: {},
    3: {
        "Dense": "kernel",
        "EinsumDense": "kernel",
        "Conv1D": "kernel",
        "Conv2D": "kernel",
        "Conv3D": "kernel",
        "Embedding": "embeddings",
    },
}
EVERY = frozenset[str]().union(
    *(table[keras] for table in (_OF_LAYERS, _OF_MODELS, _OF_FUNCTIONAL) for keras in (2, 3)),
    *(_OF_GRAPHS[keras] for keras in (2, 3)),
    *(_OF_NOTHING[keras] for keras in (2, 3)),
    *(set(_OF_ONE_LAYER[keras].values()) for keras in (2, 3)),
)


def names(keras: int, kind: Kind, bases: Iterable[str]) -> frozenset[str]:
    """The attributes that instances of a class cannot be given.

    `keras` is the generation, `kind` what the class is, `bases` are the canonical names of
    what it derives from.
    """
    found = _OF_LAYERS[keras]
    if kind in {Kind.MODEL, Kind.FUNCTIONAL}:
        found |= _OF_MODELS[keras]
    if kind is Kind.FUNCTIONAL:
        found |= _OF_FUNCTIONAL[keras]
    last_names = {base.rpartition(".")[2] for base in bases if base.startswith("keras.layers.")}
    return found | {name for layer, name in _OF_ONE_LAYER[keras].items() if layer in last_names}


def of_functional(keras: int) -> frozenset[str]:
    """What a Model besides cannot be given once it has inputs and outputs."""
    return _OF_FUNCTIONAL[keras]


def unless_none(keras: int) -> frozenset[str]:
    """What instances can be given None, and nothing else."""
    return _OF_NOTHING[keras]


def of_graphs(keras: int) -> frozenset[str]:
    """What a subclassed Model can be given, and is not built any more when it is loaded."""
    return _OF_GRAPHS[keras]
