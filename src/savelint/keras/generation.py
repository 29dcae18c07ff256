"""Keras 2 or Keras 3: the generations, and which of them a file is written for."""

from __future__ import annotations

from enum import IntEnum


class Keras(IntEnum):
    """A Keras generation.

    V3 is `keras` and, since TensorFlow 2.16, `tf.keras`; V2 is `tf_keras` and the
    `tf.keras` of older releases or of `TF_USE_LEGACY_KERAS=1`.
    """

    V2 = 2
    V3 = 3
