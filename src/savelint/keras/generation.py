"""Keras 2 or Keras 3: the generations, and which of them a file is written for."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from savelint.keras import LEGACY_FLAG, LEGACY_ON

if TYPE_CHECKING:
    from savelint.keras.summary import Summary
    from savelint.source import Source


class Keras(IntEnum):
    """A Keras generation.

    V3 is `keras` and, since TensorFlow 2.16, `tf.keras`; V2 is `tf_keras` and the
    `tf.keras` of older releases or of `TF_USE_LEGACY_KERAS=1`.
    """

    V2 = 2
    V3 = 3


class Evidence(NamedTuple):
    """A generation, and for people what decided it."""

    keras: Keras
    reason: str


# What only Keras 2 has: the package itself, its private modules, and add-ons that pin it.
# A dot ends each, so that it begins no longer name.
_ONLY_V2 = (
    "tf_keras.",
    "tensorflow.python.keras.",
    "tensorflow_addons.",
    "keras.engine.",
    "keras.utils.generic_utils.",
    "keras.utils.np_utils.",
    "keras.saving.hdf5_format.",
    "keras.layers.core.",
)
_ONLY_V3 = ("keras.ops.", "keras.random.", "keras.tree.", "keras_hub.", "keras_nlp.")
_FLAG = LEGACY_FLAG + r"['\"]\s*(?:\]\s*=|,)\s*['\"](\w+)['\"]"


def package_evidence(source: Source) -> Evidence | None:
    """The generation by what a package sets when it is imported; `source` is its `__init__.py`."""
    flag = re.search(_FLAG, source.text)
    if flag is None or flag.group(1) not in LEGACY_ON:
        return None
    return Evidence(Keras.V2, f"{source.path} sets TF_USE_LEGACY_KERAS")


def file_evidence(text: str, summary: Summary) -> Evidence | None:
    """The generation by what the file itself imports or sets; None when it does not tell."""
    flag = re.search(_FLAG, text)
    if flag is not None and flag.group(1) in LEGACY_ON:
        return Evidence(Keras.V2, "the file sets TF_USE_LEGACY_KERAS")
    origins = sorted({*summary.names.values(), *summary.stars, *summary.imported})
    for prefixes, keras in ((_ONLY_V2, Keras.V2), (_ONLY_V3, Keras.V3)):
        for origin in origins:
            if f"{origin}.".startswith(prefixes):
                return Evidence(keras, f"the file imports {origin}")
    imported = {"keras", "tensorflow.keras"} & {*summary.names.values()}
    if imported and "keras.ops" in text and re.search(r"\bkeras\.ops\b", text):
        return Evidence(Keras.V3, "the file uses keras.ops")
    return None
