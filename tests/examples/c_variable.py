"""A linear layer with its weight in a `tf.Variable`."""

import numpy as np
import tensorflow as tf


class Linear(tf.keras.layers.Layer):
    def __init__(self, inputs=6, units=3, **kwargs):
        super().__init__(**kwargs)
        self.inputs = inputs
        self.units = units
        self.w = tf.Variable(np.random.randn(inputs, units), dtype=tf.float32)

    def call(self, inputs):
        return tf.matmul(inputs, self.w)
