"""What the source says about Keras; knows nothing of rules."""

# A file with none of these words has nothing to do with Keras, unless it has a class with
# one of these methods: its base may be Keras in another file.
WORDS = ("keras", "tensorflow")
METHODS = ("def call(", "def build(", "def get_config(", "def train_step(", ".add_weight(")
# The environment variable that asks TensorFlow for Keras 2, and what it takes for a yes.
LEGACY_FLAG = "TF_USE_LEGACY_KERAS"
LEGACY_ON = frozenset({"1", "True", "true"})
