"""Facts about the names of Keras, TensorFlow and numpy."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class Kind(Enum):
    """What a class is to Keras."""

    LAYER = "layer"
    MODEL = "model"
    FUNCTIONAL = "functional or sequential model"
    MODULE = "tf.Module"
    OTHER = "other Keras object"  # losses, metrics, initializers, callbacks, ...

    @property
    def is_layer(self) -> bool:
        """Whether Keras tracks and saves what an instance holds."""
        return self in {Kind.LAYER, Kind.MODEL, Kind.FUNCTIONAL}


_OTHER_MODULES = (
    "keras.losses.",
    "keras.metrics.",
    "keras.initializers.",
    "keras.regularizers.",
    "keras.constraints.",
    "keras.optimizers.",
    "keras.callbacks.",
    "keras.utils.",
)


def base_kind(name: str) -> Kind | None:
    """The kind of a class with the canonical base `name`, None when that is not Keras."""
    if name == "tensorflow.Module":
        return Kind.MODULE
    if not name.startswith("keras."):
        return None
    last = name.rpartition(".")[2]
    if not last[:1].isupper():
        return None
    if name.startswith(_OTHER_MODULES):
        return Kind.OTHER
    if last in {"Sequential", "Functional"}:
        return Kind.FUNCTIONAL
    if last == "Model":
        return Kind.MODEL
    if last == "Layer" or ".layers." in name:
        return Kind.LAYER
    return None


# What `from keras.layers import *` and its like are known to bring.
_STAR_MEMBERS = {
    "keras": {"Layer", "Model", "Sequential", "Input", "layers", "models", "ops", "backend"},
    "keras.models": {"Model", "Sequential", "load_model", "save_model"},
    "keras.layers": {
        "Activation",
        "Add",
        "BatchNormalization",
        "Bidirectional",
        "Concatenate",
        "Conv1D",
        "Conv2D",
        "Conv3D",
        "Dense",
        "Dropout",
        "Embedding",
        "Flatten",
        "GRU",
        "Input",
        "LSTM",
        "Lambda",
        "Layer",
        "LayerNormalization",
        "MultiHeadAttention",
        "ReLU",
        "Reshape",
        "TimeDistributed",
        "Wrapper",
    },
    "tensorflow": {"keras", "Module", "Variable", "function", "shape", "reshape", "saved_model"},
}


def star_member(name: str, modules: Sequence[str]) -> str | None:
    """The canonical name of `name` if one of the star-imported modules is known to hold it."""
    for module in modules:
        if name in _STAR_MEMBERS.get(module, ()):
            return "keras" if (module, name) == ("tensorflow", "keras") else f"{module}.{name}"
    return None


# Layers without weights of their own.
WEIGHTLESS = frozenset(
    {
        "Activation",
        "ActivityRegularization",
        "Add",
        "AlphaDropout",
        "Average",
        "AveragePooling1D",
        "AveragePooling2D",
        "AveragePooling3D",
        "AvgPool1D",
        "AvgPool2D",
        "AvgPool3D",
        "Concatenate",
        "Cropping1D",
        "Cropping2D",
        "Cropping3D",
        "Dot",
        "Dropout",
        "ELU",
        "Flatten",
        "GaussianDropout",
        "GaussianNoise",
        "GlobalAveragePooling1D",
        "GlobalAveragePooling2D",
        "GlobalAveragePooling3D",
        "GlobalAvgPool1D",
        "GlobalAvgPool2D",
        "GlobalMaxPool1D",
        "GlobalMaxPool2D",
        "GlobalMaxPooling1D",
        "GlobalMaxPooling2D",
        "GlobalMaxPooling3D",
        "Identity",
        "InputLayer",
        "Lambda",
        "LeakyReLU",
        "Masking",
        "MaxPool1D",
        "MaxPool2D",
        "MaxPool3D",
        "MaxPooling1D",
        "MaxPooling2D",
        "MaxPooling3D",
        "Maximum",
        "Minimum",
        "Multiply",
        "Permute",
        "ReLU",
        "RepeatVector",
        "Rescaling",
        "Reshape",
        "Resizing",
        "Softmax",
        "SpatialDropout1D",
        "SpatialDropout2D",
        "SpatialDropout3D",
        "Subtract",
        "ThresholdedReLU",
        "UpSampling1D",
        "UpSampling2D",
        "UpSampling3D",
        "ZeroPadding1D",
        "ZeroPadding2D",
        "ZeroPadding3D",
    }
)


# Layers that have weights whatever they are given.
WEIGHTED = frozenset(
    """
    AdditiveAttention BatchNormalization Bidirectional Conv1D Conv1DTranspose Conv2D
    Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D
    Convolution2D Convolution3D CuDNNGRU CuDNNLSTM Dense DepthwiseConv1D DepthwiseConv2D
    EinsumDense Embedding GRU GRUCell GroupNormalization GroupQueryAttention LSTM LSTMCell
    LayerNormalization LocallyConnected1D LocallyConnected2D MultiHeadAttention PReLU
    SeparableConv1D SeparableConv2D SimpleRNN SimpleRNNCell
    """.split()
)
# Layers that keep a lookup table.
LOOKUP_LAYERS = frozenset("IntegerLookup StringLookup TextVectorization".split())
# TensorFlow's lookup tables.
LOOKUP_TABLES = frozenset(
    """
    tensorflow.lookup.StaticHashTable tensorflow.lookup.StaticVocabularyTable
    tensorflow.lookup.experimental.MutableHashTable
    """.split()
)
# Layers without weights that draw random numbers: Keras 3 keeps a seed variable in them.
SEEDED = frozenset(
    """
    AlphaDropout Dropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D
    SpatialDropout3D
    """.split()
)


# The calls for which a function, or the module itself, is read as a place that makes, saves,
# loads and registers models; `call` is there for `model.call = tf.function(model.call)`,
# `compile` for what is saved with a model.
SAVING = frozenset(
    """
    save save_model export add_endpoint call save_weights load_model load_weights write_out
    ExportArchive ModelCheckpoint Checkpoint CheckpointManager restore compile
    register_keras_serializable
    """.split()
)
# Those of them that write.
WRITING = frozenset(
    {"save", "save_model", "save_weights", "export", "write_out", "ModelCheckpoint"}
)
# Functions that give a Keras model.
MODEL_MAKERS = frozenset(
    {
        "keras.models.load_model",
        "keras.saving.load_model",
        "keras.models.clone_model",
        "keras.models.model_from_json",
        "keras.models.model_from_config",
        "keras.models.model_from_yaml",
    }
)
# Words without which no function makes a model, but of the project's own classes.
MODEL_WORDS = frozenset({"Model", "Sequential", "Functional", "applications"}) | {
    name.rpartition(".")[2] for name in MODEL_MAKERS
}


def makes_model(name: str) -> bool:
    """Whether a canonical name is that of a function which gives a model, made out of sight."""
    last = name.rpartition(".")[2]
    return name in MODEL_MAKERS or (name.startswith("keras.applications.") and last[:1].isupper())


class Family(Enum):
    """Whose function an operation is."""

    TF = "tensorflow"
    OPS = "keras.ops"
    BACKEND = "keras.backend"
    NUMPY = "numpy"
    KERAS_RANDOM = "keras.random"


_FAMILIES = (
    ("keras.ops.", Family.OPS),
    ("keras.backend.", Family.BACKEND),
    ("keras.random.", Family.KERAS_RANDOM),
    ("tensorflow.", Family.TF),
    ("numpy.", Family.NUMPY),
)
# Sub-modules whose members mean the same as those of the parent.
_FLAT = {"math", "linalg", "nn", "numpy", "core", "image", "experimental"}


def operation(name: str) -> tuple[Family, str] | None:
    """(family, short name) of a canonical function name: `tensorflow.math.exp` is (TF, "exp").

    Members of `random` keep that word: (NUMPY, "random.randn").
    """
    for prefix, family in _FAMILIES:
        if name.startswith(prefix):
            parts = name[len(prefix) :].split(".")
            while len(parts) > 1 and parts[0] in _FLAT:
                parts = parts[1:]
            short = ".".join(parts)
            if family is Family.KERAS_RANDOM:
                return family, f"random.{short}"
            return family, short
    return None


# The arguments that are shapes, or numbers taken from shapes: positions and keywords.
SHAPE_ARGUMENTS: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "reshape": ((1,), ("shape", "newshape")),
    "broadcast_to": ((1,), ("shape",)),
    "tile": ((1,), ("multiples", "repeats", "n")),
    "repeat": ((1,), ("repeats",)),
    "repeat_elements": ((1,), ("rep",)),
    "zeros": ((0,), ("shape",)),
    "ones": ((0,), ("shape",)),
    "fill": ((0,), ("dims",)),
    "full": ((0,), ("shape",)),
    "eye": ((0, 1), ("num_rows", "num_columns", "batch_shape", "N", "M")),
    "range": ((0, 1, 2), ("start", "limit", "delta")),
    "arange": ((0, 1, 2), ("start", "stop", "step")),
    "one_hot": ((1,), ("depth", "num_classes")),
    "slice": ((1, 2), ("begin", "size")),
    "linspace": ((2,), ("num",)),
    "random.normal": ((0,), ("shape",)),
    "random.uniform": ((0,), ("shape",)),
    "random.truncated_normal": ((0,), ("shape",)),
    "random.stateless_normal": ((0,), ("shape",)),
    "random.stateless_uniform": ((0,), ("shape",)),
    "random.gamma": ((0,), ("shape",)),
    "random_normal": ((0,), ("shape",)),
    "random_uniform": ((0,), ("shape",)),
    "truncated_normal": ((0,), ("shape",)),
}

# Operations whose result has the axes of their first tensor argument.
AXES_KEEPING = frozenset(
    """
    abs add batch_normalization bias_add cast ceil clip clip_by_norm clip_by_value conv
    conv1d conv2d conv3d convert_to_tensor cos cosh cumprod cumsum depth_to_space
    depthwise_conv2d divide divide_no_nan dropout elu ensure_shape equal erf exp expm1 floor
    floordiv floormod gelu greater greater_equal hard_sigmoid identity is_nan layer_norm
    leaky_relu less less_equal log log1p log_sigmoid log_softmax logical_and logical_not
    logical_or max_pool max_pool2d maximum minimum mod moments multiply negative normalize
    not_equal one_hot ones_like l2_normalize l2_norm pad pow realdiv reciprocal relu relu6
    resize reverse roll round rsqrt selu separable_conv sigmoid sign silu sin sinh softmax
    softplus softsign space_to_depth sqrt square squared_difference stop_gradient subtract
    swish tan tanh to_float to_int32 truediv where zeros_like avg_pool max_pool average_pool
    sequence_mask embedding_lookup frame stft fft rfft ifft irfft top_k
    """.split()
)
REDUCTIONS = frozenset(
    """
    all any argmax argmin amax amin max mean min prod reduce_all reduce_any reduce_euclidean_norm
    reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_std reduce_sum
    reduce_variance logsumexp std sum var
    """.split()
)
# Operations that give one tensor, and neither several nor a Python value.
TENSOR_MAKERS = (
    (AXES_KEEPING | REDUCTIONS) - {"frame", "moments", "normalize", "top_k", "where"}
) | frozenset(
    """
    argsort batch_dot boolean_mask concat concatenate count_nonzero cross diag diag_part dot
    einsum embedding_lookup expand_dims floor_div floordiv gather gather_nd in_top_k is_finite
    is_inf is_nan isfinite isinf isnan logical_xor matmul matvec norm permute_dimensions rank
    searchsorted sort squeeze stack tensordot transpose where zero_fraction
    """.split()
)
ELEMENTWISE_COMBINATIONS = frozenset("add subtract multiply divide truediv maximum minimum".split())
CONTRACTIONS = frozenset("matmul dot tensordot einsum batch_dot sparse_dense_matmul".split())
# Dataset-like or image-like transformations whose result's axes are not worth following
# fall through to "a tensor, axes unknown".

# Operations that run a Python function.
PYTHON_OPERATIONS = frozenset({"py_function", "numpy_function", "py_func"})
# Classes whose instances no traced program meets in the place of a tensor.
UNTRACED_CLASSES = frozenset({"numpy.ndarray", "numpy.generic", "torch.Tensor", "jax.Array"})
# Methods that only the tensors of other libraries have.
FOREIGN_METHODS = frozenset({"cpu", "detach", "item", "tolist"})
# Functions of Keras that give a tensor's numbers.
NUMBER_READERS = frozenset({"convert_to_numpy", "eval", "get_value"})
# Functions of numpy that ask a tensor for no more than its shape or type.
NUMPY_WITHOUT_NUMBERS = frozenset({"shape", "ndim", "isscalar"})

# Project helpers that return a shape of which every unknown part is a tensor.
SHAPE_HELPERS = frozenset(
    {
        "shape_list",
        "get_shape_list",
        "combined_static_and_dynamic_shape",
        "get_shape",
        "dynamic_shape",
    }
)


class Draw(Enum):
    """The distribution of a random draw, as far as a Keras initializer can repeat it."""

    NORMAL = "RandomNormal"
    UNIFORM = "RandomUniform"
    TRUNCATED = "TruncatedNormal"
    OTHER = ""


# numpy's draws: distribution, the position of `size` (None where every positional argument
# is a dimension, -1 where there is no size), and the dtype where it is known.
NUMPY_DRAWS: dict[str, tuple[Draw, int | None, str | None]] = {
    "randn": (Draw.NORMAL, None, "float64"),
    "rand": (Draw.UNIFORM, None, "float64"),
    "standard_normal": (Draw.NORMAL, 0, "float64"),
    "random": (Draw.UNIFORM, 0, "float64"),
    "random_sample": (Draw.UNIFORM, 0, "float64"),
    "ranf": (Draw.UNIFORM, 0, "float64"),
    "sample": (Draw.UNIFORM, 0, "float64"),
    "normal": (Draw.NORMAL, 2, "float64"),
    "uniform": (Draw.UNIFORM, 2, "float64"),
    "beta": (Draw.OTHER, 2, "float64"),
    "binomial": (Draw.OTHER, 2, "int64"),
    "choice": (Draw.OTHER, 1, None),
    "dirichlet": (Draw.OTHER, -1, "float64"),
    "exponential": (Draw.OTHER, 1, "float64"),
    "gamma": (Draw.OTHER, 2, "float64"),
    "integers": (Draw.OTHER, 2, "int64"),
    "laplace": (Draw.OTHER, 2, "float64"),
    "lognormal": (Draw.OTHER, 2, "float64"),
    "multivariate_normal": (Draw.OTHER, -1, "float64"),
    "permutation": (Draw.OTHER, -1, None),
    "poisson": (Draw.OTHER, 1, "int64"),
    "randint": (Draw.OTHER, 2, "int64"),
    "standard_exponential": (Draw.OTHER, 0, "float64"),
}
TENSOR_DRAWS: dict[str, Draw] = {
    "random.normal": Draw.NORMAL,
    "random.uniform": Draw.UNIFORM,
    "random.truncated_normal": Draw.TRUNCATED,
    "random_normal": Draw.NORMAL,
    "random_uniform": Draw.UNIFORM,
    "truncated_normal": Draw.TRUNCATED,
    "random_normal_variable": Draw.OTHER,
    "random.shuffle": Draw.OTHER,
    "random.categorical": Draw.OTHER,
    "random.gamma": Draw.OTHER,
    "random.poisson": Draw.OTHER,
    "random.randint": Draw.OTHER,
}
# Draws whose first argument is not a shape.
SHAPELESS_DRAWS = frozenset({"random.shuffle", "random.categorical"})
FILLS = {"zeros": "zeros", "ones": "ones", "empty": "zeros", "full": "", "fill": ""}
# Functions whose result is the array that they are given, or one of literals.
CONVERSIONS = frozenset({"array", "asarray", "ascontiguousarray", "constant", "convert_to_tensor"})
TABLES = frozenset(
    """
    arange eye identity linspace logspace geomspace meshgrid tri tril triu concat concatenate
    stack vstack hstack outer range
    """.split()
)


# Functions of Python's own that give another number each time.
PYTHON_DRAWS = frozenset(
    f"random.{name}"
    for name in """
    betavariate choice choices expovariate gammavariate gauss getrandbits lognormvariate
    normalvariate paretovariate randint random randrange sample triangular uniform
    vonmisesvariate weibullvariate
    """.split()
)
CLOCKS = frozenset(
    """
    time.time time.time_ns time.monotonic time.monotonic_ns time.perf_counter
    time.perf_counter_ns time.process_time datetime.datetime.now datetime.datetime.utcnow
    datetime.datetime.today datetime.date.today
    """.split()
)
PYTHON_STATE = PYTHON_DRAWS | CLOCKS


# The last names of all functions above that make arrays.
ARRAY_MAKERS = frozenset(
    {
        *(name.rpartition(".")[2] for name in (*NUMPY_DRAWS, *TENSOR_DRAWS)),
        *FILLS,
        *CONVERSIONS,
        *TABLES,
        *("ndarray", "empty_like", "full_like", "ones_like", "zeros_like"),
    }
)


_KINDS = """
    zeros ones constant identity orthogonal variance_scaling random_normal random_uniform
    truncated_normal glorot_normal glorot_uniform he_normal he_uniform lecun_normal lecun_uniform
""".split()
# Initializers, as they are called in TensorFlow, in Keras and in older Keras.
INITIALIZERS = frozenset(
    {
        *_KINDS,
        *(f"{name}_initializer" for name in _KINDS),
        *(name.title().replace("_", "") for name in _KINDS),
    }
)


def is_initializer(name: str) -> bool:
    """Whether a canonical name makes an initializer."""
    head, _, last = name.rpartition(".")
    if head == "keras.initializers":
        return last not in {"serialize", "deserialize"}
    return head in {"tensorflow.initializers", "tensorflow.keras.initializers"} or (
        head == "tensorflow" and last.endswith("_initializer")
    )


CONFIG = "get_config"
# What the constructors of Keras' own classes take, in either generation: those that every
# layer, loss, ... takes, and all others of `keras.layers`.
_LAYER = frozenset(
    """
    activity_regularizer autocast batch_input_shape batch_size dtype dynamic implementation
    input_dim input_dtype input_shape name trainable weights
    """.split()
)
ROOT_ARGUMENTS = {
    "Layer": _LAYER,
    "Model": _LAYER | {"inputs", "outputs"},
    "Sequential": _LAYER | {"layers"},
    "Loss": frozenset({"name", "reduction", "dtype"}),
    **dict.fromkeys(("Metric", "Mean", "Sum"), frozenset({"name", "dtype"})),
    "Optimizer": frozenset(
        """
        clipnorm clipvalue decay ema_momentum ema_overwrite_frequency global_clipnorm
        gradient_accumulation_steps gradient_aggregator gradient_transformers
        is_legacy_optimizer jit_compile learning_rate loss_scale_factor lr name use_ema
        weight_decay
        """.split()
    ),
    **dict.fromkeys(
        ("Initializer", "Constraint", "Regularizer", "LearningRateSchedule"), frozenset[str]()
    ),
}
# What optimizers take, those of earlier versions too.
OPTIMIZER_ARGUMENTS = frozenset(
    """
    adam_beta_1 adam_beta_2 adam_lr_ratio adam_weight_decay adaptive_epsilon amsgrad beta
    beta_1 beta_2 beta_2_decay centered clip_threshold clipnorm clipvalue decay
    dynamic_growth_steps ema_momentum ema_overwrite_frequency epsilon epsilon_1 epsilon_2
    exclude_embeddings exclude_layers global_clipnorm gradient_accumulation_steps
    gradient_aggregator gradient_transformers initial_accumulator_value initial_scale
    inner_optimizer is_legacy_optimizer jit_compile l1_regularization_strength
    l2_regularization_strength l2_shrinkage_regularization_strength learning_rate
    learning_rate_power loss_scale_factor lr momentum muon_a muon_b muon_c name nesterov
    ns_steps optimizer_map relative_step rho rms_rate schedule_decay use_ema warmup_steps
    weight_decay
    """.split()
)
LAYER_ARGUMENTS = frozenset(
    """
    activation addition_factor adjustment allow_last_axis_squeeze alpha alpha_constraint
    alpha_initializer alpha_regularizer antialias arguments attention_axes axes axis
    backward_layer batch_shape beta_constraint beta_initializer beta_regularizer bias_axes
    bias_constraint bias_initializer bias_regularizer bin_boundaries bins
    bounding_box_format brightness_factor call_endpoint call_training_endpoint causal cell
    center chain_depth clip_limit contrast_factor crop_to_aspect_ratio cropping data_format
    depth_multiplier depthwise_constraint depthwise_initializer depthwise_regularizer
    dilation_rate dims dropout embeddings_constraint embeddings_initializer
    embeddings_regularizer encoding epsilon equation expand_dims factor fft_length filepath
    fill_mode fill_value filters flash_attention force_generator frame_length frame_step
    function fused gamma_constraint gamma_initializer gamma_regularizer go_backwards groups
    head_dim height height_factor hue_factor idf_weights implementation input_length
    input_tensor interpolation invert keepdims kernel_constraint kernel_initializer
    kernel_regularizer kernel_size key_dim l1 l2 layer layers logit_soft_cap lora_alpha
    lora_rank mag_exp mask_token mask_value mask_zero max_freq max_ndim max_number
    max_tokens max_value mean merge_mode min_freq min_ndim min_power mode momentum
    moving_mean_initializer moving_variance_initializer n ndim negative_slope ngrams
    noise_shape normalize num_bins num_chains num_heads num_key_value_heads num_mel_bins
    num_oov_indices num_ops num_query_heads num_tokens offset oov_method oov_token optional
    output_dim output_mode output_padding output_sequence_length output_shape output_size
    pad_to_aspect_ratio pad_to_max_tokens padding periodic pointwise_constraint
    pointwise_initializer pointwise_regularizer pool_mode pool_size power_iterations
    power_to_db quantization_config ragged rank rate recurrent_activation
    recurrent_constraint recurrent_dropout recurrent_initializer recurrent_regularizer
    ref_power renorm renorm_clipping renorm_momentum reset_after return_sequences
    return_state reverse_dtype reverse_state_order rms_scaling rng_type robust_masking salt
    sampling_rate saturation_factor scale scaling score_mode seed sequence_length
    sequence_stride shape shared_axes sigma size sliding_window softmax_robust_masking
    sparse split standardize stateful stddev strides synchronized target_shape theta
    threshold threshold_factor tie_weights tile_grid_size time_major top_db type_spec
    unit_forget_bias units unroll use_bias use_cudnn use_gate use_one_hot_matmul use_scale
    value_dim value_range variance virtual_batch_size vocabulary vocabulary_dtype
    vocabulary_size width width_factor window x_factor y_factor zero_output_for_mask
    """.split()
)
_CONVOLUTION = "filters kernel_size strides padding"
# Those of them that the config of some layer does not hold, in one generation at least.
UNRECORDED_ARGUMENTS = frozenset(
    """
    activity_regularizer backward_layer data_format dilation_rate flash_attention implementation
    input_tensor lora_alpha lora_rank noise_shape robust_masking seed sparse synchronized
    type_spec use_cudnn
    """.split()
)
# What a layer's constructor may be given by its position.
FIRST_ARGUMENTS = {
    f"keras.layers.{name}": tuple(arguments.split())
    for names, arguments in (
        ("Dense", "units activation use_bias"),
        ("Conv1D Conv2D Conv3D SeparableConv1D SeparableConv2D", _CONVOLUTION),
        ("Conv1DTranspose Conv2DTranspose Conv3DTranspose", _CONVOLUTION),
        ("DepthwiseConv1D DepthwiseConv2D", "kernel_size strides padding"),
        ("GRU LSTM SimpleRNN GRUCell LSTMCell SimpleRNNCell", "units activation"),
        ("Embedding", "input_dim output_dim"),
        ("Activation", "activation"),
        ("Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D", "rate"),
        ("AveragePooling1D AveragePooling2D AveragePooling3D", "pool_size strides padding"),
        ("MaxPooling1D MaxPooling2D MaxPooling3D", "pool_size strides padding"),
    )
    for name in names.split()
}
# Layers of Keras without a `get_config` of their own.
UNRECORDED_LAYERS = frozenset({"Layer", "AbstractRNNCell", "ELU", "Identity", "PreprocessingLayer"})
# What the config of a class that every other of its kind derives from holds, and no more.
ROOT_CONFIGS = {
    "Layer": frozenset({"name", "trainable", "dtype"}),
    "Loss": frozenset({"name", "reduction"}),
    **dict.fromkeys(("Metric", "Mean", "Sum"), frozenset({"name", "dtype"})),
    "Initializer": frozenset[str](),
    "Constraint": frozenset[str](),
}
