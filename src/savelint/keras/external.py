"""Facts about the classes of other packages that models derive from and are made of.

These packages are not read, so the table stands for them. Each line was held against what
importing the package and asking `issubclass` says of all its public names; a name that no
line knows is unknown.
"""

from __future__ import annotations

import re
from functools import lru_cache

from savelint.keras import tables
from savelint.keras.tables import Kind

# Of each package patterns for what follows its name, with the kind of such classes; the
# first that matches whole counts. None is for names that look like Keras and are not.
_PACKAGES: dict[str, tuple[tuple[str, Kind | None], ...]] = {
    "bayesflow": (
        (r"metrics\.[A-Z]\w+", Kind.OTHER),
        (r"(\w+\.)*[A-Z]\w+Approximator|(\w+\.)*Approximator", Kind.MODEL),
        (r"(networks|links|distributions)\.[A-Z]\w+", Kind.LAYER),
    ),
    "deepctr": ((r"layers\.(\w+\.)*[A-Z]\w+", Kind.LAYER),),
    "keras_bert": ((r"layers\.(\w+\.)*[A-Z]\w+", Kind.LAYER),),
    "keras_cv": (
        (r"losses\.[A-Z]\w+", Kind.OTHER),
        (r"layers\.[A-Z]\w+", Kind.LAYER),
        (r"models\.(backbones\.)?[A-Z]\w*Backbone", Kind.MODEL),
    ),
    "keras_hub": (
        (r"metrics\.[A-Z]\w+", Kind.OTHER),
        (r"(layers|tokenizers)\.[A-Z]\w+", Kind.LAYER),
        (r"models\.[A-Z]\w*(Tokenizer|Preprocessor|Converter)", Kind.LAYER),
        (r"models\.[A-Z]\w*(Backbone|Classifier|LM|Segmenter|Task|Detector)", Kind.MODEL),
    ),
    "keras_multi_head": ((r"[A-Z]\w+", Kind.LAYER),),
    "keras_pos_embd": ((r"[A-Z]\w+", Kind.LAYER),),
    "keras_self_attention": ((r"(\w+\.)*[A-Z]\w+Attention", Kind.LAYER),),
    "kgcnn": ((r"layers\.(\w+\.)*[A-Z]\w+", Kind.LAYER),),
    "larq": (
        (r"(layers|quantizers)\.[A-Z]\w+", Kind.LAYER),
        (r"(optimizers|metrics|callbacks)\.[A-Z]\w+", Kind.OTHER),
    ),
    "official": (
        (r"nlp\.modeling\.layers\.[A-Z]\w+", Kind.LAYER),
        (r"vision\.modeling\.layers\.[A-Z]\w+(Block|Head|Pyramid|ASPP)", Kind.LAYER),
    ),
    "qkeras": ((r"(\w+\.)*Q(Dense|Activation|Conv[123]D|SeparableConv2D)", Kind.LAYER),),
    "spektral": ((r"layers\.(\w+\.)*[A-Z]\w+", Kind.LAYER),),
    "tensorflow_addons": (
        (r"(layers|rnn)\.(\w+\.)*[A-Z]\w+", Kind.LAYER),
        (r"optimizers\.\w*(CyclicalLearningRate|WeightDecayExtension)", None),
        (r"(optimizers|losses|metrics|callbacks)\.[A-Z]\w+", Kind.OTHER),
    ),
    "tensorflow_compression": ((r"(layers\.)?(GDN|SignalConv\w+|SoftRound)", Kind.LAYER),),
    "tensorflow_decision_forests": ((r"keras\.[A-Z]\w+Model", Kind.MODEL),),
    "tensorflow_gnn": ((r"keras\.layers\.[A-Z]\w+Base", Kind.LAYER),),
    "tensorflow_hub": ((r"(keras_layer\.)?KerasLayer", Kind.LAYER),),
    "tensorflow_model_optimization": ((r"quantization\.keras\.QuantizeWrapper\w*", Kind.LAYER),),
    "tensorflow_models": ((r"nlp\.layers\.[A-Z]\w+", Kind.LAYER),),
    "tensorflow_probability": (
        (r"layers\.\w+(Initializer|Regularizer)", Kind.OTHER),
        (r"layers\.[A-Z]\w+", Kind.LAYER),
    ),
    "tensorflow_ranking": (
        (r"keras\.(losses|metrics)\.[A-Z]\w+", Kind.OTHER),
        (r"keras\.(layers|network)\.[A-Z]\w+", Kind.LAYER),
    ),
    "tensorflow_recommenders": (
        (r"Model|models\.(base\.)?Model|experimental\.models\.Ranking", Kind.MODEL),
        (r"layers\.factorized_top_k\.[A-Z]\w+", Kind.MODEL),
        (r"tasks\.(Ranking|Retrieval)", Kind.LAYER),
        (r"layers\.(blocks|dcn|loss|feature_interaction)\.(\w+\.)*[A-Z]\w+", Kind.LAYER),
    ),
    "tensorflow_similarity": (
        (r"layers\.[A-Z]\w+", Kind.LAYER),
        (r"models\.[A-Z]\w+Model", Kind.MODEL),
    ),
    "tensorflow_text": ((r"keras\.layers\.[A-Z]\w+", Kind.LAYER),),
    "tf_agents": (
        (r"networks\.(\w+\.)*(Network|\w+Network|Sequential|NestMap)", Kind.LAYER),
        (r"keras_layers\.(\w+\.)*[A-Z]\w+", Kind.LAYER),
    ),
    "transformers": (
        (r"utils\..*|(\w+\.)*TF(Auto\w+|\w+Loss|\w+Output)", None),
        (r"(\w+\.)*TF\w+(PreTrainedModel|Model|For[A-Z]\w+)", Kind.MODEL),
        (r"(\w+\.)*TF\w+MainLayer", Kind.LAYER),
    ),
}
# Packages that are another one under an earlier name.
_RENAMED = {"keras_nlp": "keras_hub"}


@lru_cache(maxsize=4096)
def kind(name: str) -> Kind | None:
    """The kind of the class with the canonical `name`; None when that is not known."""
    package, _, rest = name.partition(".")
    for pattern, found in _PACKAGES.get(_RENAMED.get(package, package), ()):
        if re.fullmatch(pattern, rest):
            return found
    return tables.base_kind(name)
