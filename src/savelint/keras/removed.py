"""Names of Keras and TensorFlow that are gone from Keras 3 and the TensorFlow it comes with.

Measured with Keras 3.15 and TensorFlow 2.21: the attribute raises AttributeError, the import
ImportError. `tf.keras` and `keras` are not alike here: `tf.keras` keeps a shim of the old
backend. Of `tf.keras.saving`, which can be imported, the registrations tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

# Gone from `keras` and from `tf.keras`.
OF_BOTH = frozenset(
    """
    callbacks.callbacks callbacks.experimental dtensor engine estimator experimental
    initializers.normal
    layers.AbstractRNNCell layers.AtrousConvolution2D layers.CuDNNGRU layers.CuDNNLSTM
    layers.Deconvolution2D layers.DenseFeatures layers.Highway layers.LocallyConnected1D
    layers.LocallyConnected2D layers.MaxoutDense layers.Merge layers.advanced_activations
    layers.convolutional layers.convolutional_recurrent layers.core layers.cudnn_recurrent
    layers.embeddings layers.experimental layers.local layers.merge layers.noise
    layers.normalization layers.pooling layers.preprocessing layers.recurrent
    layers.serialization layers.wrappers metrics.experimental mixed_precision.experimental
    models.experimental models.model_from_config models.model_from_yaml objectives
    optimizers.TFOptimizer optimizers.adam_v2 optimizers.experimental
    optimizers.gradient_descent_v2 optimizers.optimizer_v1 optimizers.optimizer_v2
    optimizers.rmsprop_v2 premade premade_models saving.hdf5_format saving.legacy
    saving.model_config saving.object_registration saving.pickle_utils saving.save
    saving.saved_model saving.saving_utils utils.GeneratorEnqueuer utils.HDF5Matrix
    utils.OrderedEnqueuer utils.SequenceEnqueuer utils.SidecarEvaluator utils.conv_utils
    utils.convert_all_kernels_in_model utils.data_utils utils.experimental utils.generic_utils
    utils.io_utils utils.layer_utils utils.losses_utils utils.metrics_utils
    utils.multi_gpu_model utils.multi_gpu_utils utils.np_utils utils.print_summary
    utils.test_utils utils.tf_utils utils.training_utils utils.vis_utils utils.visualize_util
    utils.warmstart_embedding_matrix wrappers.scikit_learn
    backend.get_graph backend.get_session backend.set_session backend.set_learning_phase
    backend.learning_phase backend.learning_phase_scope backend.function backend.placeholder
    backend.manual_variable_initialization backend.image_dim_ordering
    backend.set_image_dim_ordering backend.in_train_phase backend.in_test_phase
    backend.reset_uids backend.tensorflow_backend
    """.split()
)
# Gone from `keras` alone; what `tf.keras` has under the name is no part of Keras' own interface.
_OF_KERAS = frozenset(
    """
    backend.batch_get_value backend.batch_set_value backend.cast_to_floatx backend.count_params
    backend.dot backend.dtype backend.eval backend.get_value backend.gradients backend.int_shape
    backend.is_sparse backend.mean backend.name_scope backend.ndim backend.rnn
    backend.set_value backend.shape backend.switch backend.update backend.variable
    layers.ThresholdedReLU losses.Reduction preprocessing.image.ImageDataGenerator
    preprocessing.sequence.TimeseriesGenerator preprocessing.text
    """.split()
)
# Gone from `tf` itself; what begins with `saved_model` or `train` is kept in `tf.compat.v1`.
_OF_TENSORFLOW = frozenset(
    """
    contrib saved_model.Builder saved_model.build_signature_def saved_model.build_tensor_info
    saved_model.builder saved_model.get_tensor_from_tensor_info saved_model.loader
    saved_model.main_op saved_model.main_op_with_restore saved_model.predict_signature_def
    saved_model.signature_constants saved_model.signature_def_utils saved_model.simple_save
    saved_model.tag_constants saved_model.utils train.Saver train.export_meta_graph
    train.import_meta_graph
    """.split()
)
_KEPT_IN_V1 = ("saved_model.", "train.")

# Where else Keras 3, and Keras 2 with it, has what stood in a module that is gone.
_LAYERS = """
    Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average
    AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional
    CategoryEncoding CenterCrop Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D
    Conv3DTranspose ConvLSTM2D Cropping1D Cropping2D Cropping3D Dense DepthwiseConv2D
    Discretization Dot Dropout ELU EinsumDense Embedding Flatten GRU GRUCell GaussianDropout
    GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D Hashing InputLayer InputSpec
    IntegerLookup LSTM LSTMCell Lambda Layer LayerNormalization LeakyReLU Masking MaxPooling1D
    MaxPooling2D MaxPooling3D Maximum Minimum MultiHeadAttention Multiply Normalization PReLU
    Permute RNN RandomContrast RandomCrop RandomFlip RandomRotation RandomTranslation RandomZoom
    ReLU RepeatVector Rescaling Reshape Resizing SeparableConv1D SeparableConv2D SimpleRNN
    SimpleRNNCell Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D StackedRNNCells
    StringLookup Subtract TextVectorization TimeDistributed UpSampling1D UpSampling2D
    UpSampling3D Wrapper ZeroPadding1D ZeroPadding2D ZeroPadding3D
""".split()
_UTILS = """
    CustomObjectScope Progbar Sequence custom_object_scope deserialize_keras_object
    get_custom_objects get_file get_source_inputs model_to_dot normalize plot_model
    register_keras_serializable serialize_keras_object to_categorical
""".split()
_HOMES: Mapping[str, str] = {
    **{name: f"layers.{name}" for name in _LAYERS},
    **{name: f"utils.{name}" for name in _UTILS},
    **{name: f"models.{name}" for name in ("Model", "Sequential", "load_model", "save_model")},
    **{f"optimizers.{name}": f"optimizers.{name}" for name in ("Adam", "RMSprop", "SGD")},
    "BackupAndRestore": "callbacks.BackupAndRestore",
    "CosineDecay": "optimizers.schedules.CosineDecay",
    "CosineDecayRestarts": "optimizers.schedules.CosineDecayRestarts",
    "LossScaleOptimizer": "mixed_precision.LossScaleOptimizer",
    "Policy": "mixed_precision.Policy",
}


# The last parts of all that is missing: a file without one of them uses none of it.
WORDS = frozenset(name.rpartition(".")[2] for name in (*OF_BOTH, *_OF_KERAS, *_OF_TENSORFLOW))
# By the whole name that a dotted one begins with, the longest first.
_ROOTS = (
    ("tensorflow.keras", OF_BOTH),
    ("keras", OF_BOTH | _OF_KERAS),
    ("tensorflow", _OF_TENSORFLOW),
)


class Removed(NamedTuple):
    """What of a dotted name is missing, and where all of it is now; empty where nowhere.

    Both are whole, and begin with "keras", "tensorflow.keras" or "tensorflow".
    """

    missing: str
    home: str


def find(origin: str) -> Removed | None:
    """What is missing of a dotted name, as it is imported or read from what is imported."""
    for root, gone in _ROOTS:
        if origin.startswith(f"{root}."):
            parts = origin[len(root) + 1 :].split(".")
            for count in range(1, len(parts) + 1):
                name = ".".join(parts[:count])
                if name in gone:
                    return Removed(f"{root}.{name}", _home(root, name, parts[count:]))
            return None
    return None


def _home(root: str, missing: str, rest: list[str]) -> str:
    if root == "tensorflow":
        kept = missing.startswith(_KEPT_IN_V1)
        return ".".join(("tensorflow.compat.v1", missing, *rest)) if kept else ""
    if not rest:
        return ""
    optimizer = f"optimizers.{rest[0]}" if missing.startswith("optimizers.") else ""
    home = _HOMES.get(optimizer or rest[0])
    return ".".join((root, home, *rest[1:])) if home else ""


def table() -> tuple[list[str], list[str], list[str]]:
    """The whole names that are gone, those that `tf.keras` alone still has, and the homes."""
    gone = [f"{root}.{name}" for root, names in _ROOTS for name in names]
    kept = [f"tensorflow.keras.{name}" for name in _OF_KERAS]
    homes = [f"{root}.{home}" for root in ("keras", "tensorflow.keras") for home in _HOMES.values()]
    homes += [
        f"tensorflow.compat.v1.{name}" for name in _OF_TENSORFLOW if name.startswith(_KEPT_IN_V1)
    ]
    return gone, kept, homes
