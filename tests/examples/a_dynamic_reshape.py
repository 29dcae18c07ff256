"""Serve a model that folds its input into patches."""

import tensorflow as tf


class Patches(tf.keras.Model):
    def __init__(self, width=3, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.dense = tf.keras.layers.Dense(4)

    def call(self, inputs):
        batch_size = tf.shape(inputs)[0]
        patches = tf.reshape(inputs, [batch_size, -1, self.width])
        return self.dense(patches)


model = Patches()
sample = tf.random.normal([4, 6])
print(model(sample).shape)
tf.saved_model.save(model, "patches")
