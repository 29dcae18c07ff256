"""Run models under TensorFlow and say, for each way of using and saving them, what happened.

    python runner.py GENERATION JOBS OUT

A standalone program: no savelint, no pytest. JOBS is a JSON list; a job has `id`, `source`
(the text of a module), `build` (an expression in it), `inputs` (one [shape without the batch,
dtype] per tensor), `ways`, `saved`, `trains`, `serves` and `program`, as in
`savelint.rule.Witness`. OUT gets `{id: {way: outcome}}`.

Two worker processes do the work, one after the other, each for all jobs. The first builds,
calls, trains and saves, and reloads what Keras can reload in the process that saved it. The
second is fresh: it loads what the first left on disk, so nothing that lives only in the memory
of the first can help it. Workers write a line per job; when one dies, the job it was at is
reported as a crash and another worker goes on with the next.

What makes an outcome mean something:

- Before anything is saved, noise is added to every variable: those of `model.variables`, those
  that Keras does not track (reached through the attributes of layers, modules and the example's
  own objects) and those bound in the example's module. Equal outputs after a reload therefore
  mean that the state itself travelled, not that it was initialised alike.
- Each phase has its own random seeds, so an array drawn at random in `__init__` is drawn anew.
- Saved models are served in the fresh process, without the module that defined them.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib.util
import inspect
import io
import itertools
import json
import logging
import math
import os
import pickle
import random
import re
import runpy
import signal
import subprocess
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

SECONDS = 90  # for one job in one phase
PROGRAM_SECONDS = 600  # for one that has to import TensorFlow anew
SAMPLES = 4  # the batch that a model sees before it is saved
OTHERS = 7  # a batch of another size
LIMIT = 200  # characters of an error's message
FLAG = "TF_USE_LEGACY_KERAS"
# The line of a traceback that names the error.
ERROR = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b")
CONTAINER_DEPTH = 8

OK = "ok"
OTHER_OUTPUTS = "DIFF: other outputs"
FRESH = " (in a fresh process)"

Outcomes = dict[str, str]
Job = dict[str, Any]
Expected = dict[int, list[Any]]  # the outputs, flattened, by the number of rows

tf: Any = None
np: Any = None
keras: Any = None
generation = 3


def start_tensorflow() -> None:
    """Import TensorFlow quietly, with `import keras` meaning the generation under test."""
    global tf, np, keras, generation
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", TQDM_DISABLE="1")
    warnings.simplefilter("ignore")
    tf = importlib.import_module("tensorflow")
    np = importlib.import_module("numpy")
    logging.getLogger("tensorflow").setLevel(logging.CRITICAL)
    importlib.import_module("absl.logging").set_verbosity("fatal")
    keras = tf.keras
    generation = 2 if os.environ.get(FLAG) == "1" else 3
    if generation == 2:
        # What `pip install 'keras<3'` gives: `import keras` is Keras 2 too.
        sys.modules["keras"] = importlib.import_module("tf_keras")
    # Both generations are usually run at once, on few cores.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def seed(number: int) -> None:
    random.seed(number)
    np.random.seed(number)
    tf.random.set_seed(number)


# ---------------------------------------------------------------------- what an error says


class JobTimeoutError(BaseException):
    """A job took too long; not an Exception, so that no example can swallow it."""


def say(error: BaseException) -> str:
    """The type and the message of an error, on one line, without what varies."""
    if isinstance(error, JobTimeoutError):
        return "TIMEOUT"
    message = essence(str(error))
    kind = type(error).__name__
    message = re.sub(rf"^(?:{kind}: )+", "", message)
    return f"{kind}: {message}" if message else kind


def essence(message: str) -> str:
    """The line or two of a message that say what is wrong, folded."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", message)
    # Keras puts the error between a preamble and the arguments of the call.
    text = re.sub(r"Exception encountered when calling .*?\.\s*\n+", "", text, count=1)
    text = re.sub(r"Exception encountered when calling layer .*?\n+", "", text, count=1)
    text = re.split(r"(?:^|\n)\s*(?:Call a|A)rguments received by", text)[0]
    # What rebuilds an object puts it behind the config, once for each object around it.
    for mark in ("Exception encountered:", "Error encountered during deserialization:"):
        text = text.rsplit(mark, 1)[-1]
    # So does the inference of an output's shape.
    text = text.rsplit("Error encountered:", 1)[-1]
    # Autograph shows the user's code first, the error last.
    if "in user code:" in text:
        blocks = [b for b in re.split(r"\n\s*\n", text) if b.strip()]
        text = next((b for b in reversed(blocks) if not re.match(r"\s*File ", b)), text)
    # A graph shows where the node was made before what it says.
    if "Graph execution error:" in text:
        lines = text.split("Graph execution error:", 1)[1].splitlines()
        noise = re.compile(r"\s*$|\s+|Detected at|File |<stack traces")
        text = next((line for line in lines if not noise.match(line)), text)
    text = re.sub(r"\[\[\{\{node.*", "", text, flags=re.DOTALL)
    text = re.sub(r"\[Op:.*?\].*", "", text, flags=re.DOTALL)
    text = re.sub(r",\s*(?:numpy|value)=[^>]*>", ">", text)
    text = re.sub(r"\{\{function_node .*?\}\}(?:\{\{.*?\}\})?\s*", "", text)
    # Before temporary paths are left out: the environment itself may stand in one.
    text = re.sub(r" \(\S*site-packages\S*\)", "", text)
    text = re.sub(re.escape(tempfile.gettempdir()) + r"[^\s'\",;)]*", "...", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "0x...", text)
    text = re.sub(r"\bpyfunc_\d+\b", "pyfunc_...", text)
    # A module is called by the one or the other name, depending on what was imported before.
    text = re.sub(r"\btensorflow\._api\.v2\.", "tensorflow.", text)
    # Where the stack ends is told by what happened to be called last.
    text = re.sub(r"(maximum recursion depth exceeded)(?: \w+)+", r"\1", text)
    # A graph's tensors are named by what was traced before them.
    text = re.sub(r"(symbolic (?:tf\.)?Tensor) \([^)]*\)", r"\1", text)
    text = re.sub(r"\bexample_\d+\.", "", text)
    # `tf.keras` goes by either name, by what was read of it before.
    text = text.replace("keras._tf_keras.keras", "tensorflow.keras")
    # Compiled code, as text: it is of one release of Python.
    text = re.sub(r"'(?:[A-Za-z0-9+/]|\\n){40,}[A-Za-z0-9+/=\\]*'?", "'...'", text)
    text = re.sub(r"(__inference_[\w<>]+?_)\d+\b", r"\1...", text)
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= LIMIT else text[: LIMIT - 3].rstrip() + "..."


def attempt(action: Callable[[], object]) -> str:
    """The outcome of an action that returns one, or None for "ok"."""
    try:
        with quiet():
            return str(action() or OK)
    except (Exception, SystemExit) as error:
        return say(error)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


# ---------------------------------------------------------------------- the example's objects


def import_source(job: Job, place: Path) -> ModuleType:
    """Import the example as a module with a file, which Autograph and inspect read."""
    path = place / f"{job['module']}.py"
    if not path.exists():
        path.write_text(textwrap.dedent(job["source"]), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(job["module"], path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[job["module"]] = module
    spec.loader.exec_module(module)
    return module


def evaluate(job: Job, module: ModuleType) -> Any:
    return eval(job["build"], vars(module))


def is_model(thing: object) -> bool:
    return isinstance(thing, keras.Model)


def is_plain_layer(thing: object) -> bool:
    return isinstance(thing, keras.layers.Layer) and not is_model(thing)


def symbolic(job: Job, thing: Any) -> Any:
    """A functional model that uses a layer or a model on `Input`s of an unknown batch size."""
    inputs = [keras.Input(shape=tuple(shape), dtype=dtype) for shape, dtype in job["inputs"]]
    outputs = spread(thing, inputs)
    return keras.Model(inputs[0] if len(inputs) == 1 else inputs, outputs)


def make_model(job: Job, module: ModuleType) -> Any:
    """What `build` says, as something that can be saved: a layer goes into a model."""
    made = evaluate(job, module)
    return symbolic(job, made) if is_plain_layer(made) else made


def sample(job: Job, rows: int) -> list[Any]:
    """Inputs of so many rows, the same in every process."""
    rng = np.random.RandomState(rows)
    tensors = []
    for shape, dtype in job["inputs"]:
        size = [rows, *(5 if axis is None else axis for axis in shape)]
        if dtype == "string":
            value: Any = rng.randint(0, 3, size=size).astype(str).astype(object)
        elif dtype == "bool":
            value = rng.randint(0, 2, size=size).astype(bool)
        elif "int" in dtype:
            value = rng.randint(0, 3, size=size)
        else:
            value = rng.normal(size=size)
        tensors.append(tf.convert_to_tensor(value, dtype=dtype))
    return tensors


def spread(thing: Any, tensors: Sequence[Any]) -> Any:
    """Call with one tensor, a list of them, or one argument each, as the callee asks."""
    if len(tensors) == 1:
        return thing(tensors[0])
    return thing(*tensors) if wants_arguments(thing) else thing(list(tensors))


def wants_arguments(thing: Any) -> bool:
    function = thing.call if isinstance(thing, keras.layers.Layer) else thing
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    positional = [
        p
        for p in parameters
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        and p.default is p.empty
        and p.name not in ("training", "mask")
    ]
    return len(positional) > 1


def call(thing: Any, tensors: Sequence[Any]) -> Any:
    """Call for inference; `training` is given only where it must be."""
    try:
        return spread(thing, tensors)
    except TypeError as error:
        if "training" not in str(error):
            raise
        return spread(lambda *x: thing(*x, training=False), tensors)


# ---------------------------------------------------------------------- variables


def is_variable(thing: object) -> bool:
    return isinstance(thing, tf.Variable) or (generation > 2 and isinstance(thing, keras.Variable))


def all_variables(model: Any, module: ModuleType) -> list[Any]:
    """Every variable of a model, tracked or not, and those bound in the example's module."""
    found: dict[int, Any] = {id(v): v for v in getattr(model, "variables", ())}
    seen: set[int] = set()

    def visit(thing: object, depth: int) -> None:
        if id(thing) in seen or depth > CONTAINER_DEPTH:
            return
        seen.add(id(thing))
        if is_variable(thing):
            found.setdefault(id(thing), thing)
        elif isinstance(thing, dict):
            for value in list(thing.values()):
                visit(value, depth + 1)
        elif isinstance(thing, (list, tuple, set, frozenset)):
            for value in thing:
                visit(value, depth + 1)
        elif (
            isinstance(thing, (keras.layers.Layer, tf.Module))
            or type(thing).__module__ == module.__name__
        ):
            visit(getattr(thing, "__dict__", {}), depth + 1)

    visit(model, 0)
    for layer in getattr(model, "layers", ()):
        visit(layer, 0)
    for value in list(vars(module).values()):
        if is_variable(value):
            visit(value, 0)
    # A Keras 3 variable wraps a tf.Variable, which is reached too: noise once is enough.
    inner = {id(v._value) for v in found.values() if hasattr(v, "_value")}
    return [v for key, v in found.items() if key not in inner]


def add_noise(model: Any, module: ModuleType) -> None:
    rng = np.random.RandomState(7)
    for variable in all_variables(model, module):
        value = np.asarray(variable)
        if value.dtype.kind == "f":
            variable.assign(value + rng.uniform(0.1, 0.6, size=value.shape).astype(value.dtype))


def variable_name(variable: Any) -> str:
    """The end of a variable's path, without the name of the model."""
    path = str(getattr(variable, "path", variable.name)).split(":")[0]
    return "/".join(path.split("/")[-2:])


# ---------------------------------------------------------------------- comparing outputs


def flatten(outputs: Any) -> list[Any]:
    """The arrays of a nest of outputs; dicts by key."""
    if isinstance(outputs, dict):
        return [a for key in sorted(outputs, key=str) for a in flatten(outputs[key])]
    if isinstance(outputs, (list, tuple)):
        return [a for part in outputs for a in flatten(part)]
    if outputs is None:
        return []
    if isinstance(outputs, tf.SparseTensor):
        outputs = tf.sparse.to_dense(outputs)
    if isinstance(outputs, tf.RaggedTensor):
        outputs = outputs.to_tensor()
    return [np.asarray(outputs)]


def equal(one: Any, other: Any) -> bool:
    if one.shape != other.shape:
        return False
    if one.dtype.kind in "OSU" or other.dtype.kind in "OSU":
        return bool((one.astype(str) == other.astype(str)).all())
    return bool(np.allclose(one.astype("float64"), other.astype("float64"), rtol=2e-3, atol=2e-4))


def compare(expected: list[Any], outputs: Any, rows: int) -> str:
    """ "ok", or what is different; a signature may order its outputs as it likes."""
    rest = flatten(outputs)
    if len(rest) != len(expected):
        return f"DIFF: {len(rest)} outputs, not {len(expected)}"
    for array in expected:
        match = next((i for i, other in enumerate(rest) if equal(array, other)), None)
        if match is None:
            if len(expected) == 1 and array.shape[:1] != rest[0].shape[:1] and array.ndim:
                got = rest[0].shape[0] if rest[0].ndim else "no"
                return f"DIFF: rows {got} for a batch of {rows}"
            return OTHER_OUTPUTS
        del rest[match]
    return OK


# ---------------------------------------------------------------------- the ways


def try_call(job: Job, module: ModuleType) -> str:
    thing = evaluate(job, module)
    for rows in (SAMPLES, OTHERS):
        call(thing, sample(job, rows))
    return OK


def try_functional(job: Job, module: ModuleType) -> str:
    model = symbolic(job, evaluate(job, module))
    for rows in (SAMPLES, OTHERS):
        call(model, sample(job, rows))
    return OK


def try_fit(job: Job, model: Any) -> str:
    """One step of fit, towards targets that no output equals; which weights moved?"""
    x = sample(job, SAMPLES)
    targets = far_from(call(model, x))
    if getattr(model, "optimizer", None) is None:
        model.compile(optimizer=keras.optimizers.SGD(0.05), loss=keras.losses.MeanSquaredError())
    weights = list(model.trainable_variables)
    before = [np.array(v) for v in weights]
    history = model.fit(
        x[0] if len(x) == 1 else x, targets, batch_size=SAMPLES, epochs=1, verbose=0
    )
    loss = history.history["loss"][-1]
    same = [v for v, old in zip(weights, before, strict=True) if np.array_equal(np.asarray(v), old)]
    if same:
        return f"UNTRAINED: {', '.join(variable_name(v) for v in same)}"
    if job.get("trains") is not None and len(weights) < job["trains"]:
        return f"UNTRAINED: {len(weights)} of {job['trains']} weights are trained"
    return OK if math.isfinite(float(loss)) else f"DIFF: the loss is {loss}"


def far_from(outputs: Any) -> Any:
    """Targets for a loss that every output and every weight has a part in."""
    rng = np.random.RandomState(3)
    return tf.nest.map_structure(
        lambda t: rng.uniform(1.0, 2.0, size=tuple(t.shape)).astype("float32"), outputs
    )


TRIES = 5  # how often a model that may vary is asked


def try_steps(job: Job, module: ModuleType) -> str:
    """Several steps of fit that change no weight: does the loss vary as it does eagerly?"""
    losses: dict[bool, list[float]] = {}
    for eager in (True, False):
        model = make_model(job, module)
        x = sample(job, SAMPLES)
        targets = far_from(call(model, x))
        model.compile(
            optimizer=keras.optimizers.SGD(0.0),
            loss=keras.losses.MeanSquaredError(),
            run_eagerly=eager,
        )
        history = model.fit(
            x[0] if len(x) == 1 else x, targets, batch_size=SAMPLES, epochs=TRIES, verbose=0
        )
        losses[eager] = history.history["loss"]
    eagerly, traced = ([[np.asarray(loss)] for loss in losses[eager]] for eager in (True, False))
    return "STUCK: the same loss in every step" if varies(eagerly) and not varies(traced) else OK


def try_repeat(job: Job, module: ModuleType, place: Path) -> str:
    """An exported model, served one batch again and again: does it vary as the model does?"""
    model = make_model(job, module)
    x = sample(job, SAMPLES)
    itself = [flatten(call(model, x)) for _ in range(TRIES)]
    path = str(place / "repeated")
    model.export(path)
    signature = tf.saved_model.load(path).signatures["serving_default"]
    names = list(signature.structured_input_signature[1])
    served = [flatten(signature(**dict(zip(names, x, strict=True)))) for _ in range(TRIES)]
    if varies(itself) and not varies(served):
        return "STUCK: the same answer every time"
    return OK


def try_resume(job: Job, module: ModuleType, place: Path) -> str:
    """A model that is reloaded and trained on: does it learn what the saved one learns?"""
    model = make_model(job, module)
    x = sample(job, SAMPLES)
    outputs = call(model, x)
    if getattr(model, "optimizer", None) is None:
        model.compile(optimizer=keras.optimizers.SGD(0.05), loss=keras.losses.MeanSquaredError())
    path = str(place / "resumed.keras")
    model.save(path)
    loaded = keras.models.load_model(path, custom_objects=own_objects(module))
    learned = []
    for one in (model, loaded):
        seed(5)
        history = one.fit(
            x[0] if len(x) == 1 else x,
            far_from(outputs),
            batch_size=SAMPLES,
            epochs=TRIES,
            shuffle=False,
            verbose=0,
        )
        measured = [np.asarray(values) for _, values in sorted(history.history.items())]
        learned.append([*measured, *flatten(call(one, x))])
    saved, reloaded = learned
    return OK if compare(saved, reloaded, SAMPLES) == OK else "DIFF: it learns something else"


def varies(answers: list[list[Any]]) -> bool:
    first, *rest = answers
    return any(compare(first, other, SAMPLES) != OK for other in rest)


SAVED_MODEL, EXPORT, KERAS, H5, WEIGHTS = (
    "tf.saved_model.save",
    "export",
    ".keras",
    ".h5",
    ".weights.h5",
)
STEPS, REPEAT = "several steps of fit", "export, served again and again"
RESUME = ".keras, trained on"
FILES = {
    SAVED_MODEL: "saved_model",
    EXPORT: "exported",
    KERAS: "model.keras",
    H5: "model.h5",
    WEIGHTS: "model.weights.h5",
}


def save(way: str, job: Job, model: Any, place: Path) -> None:
    path = str(place / FILES[way])
    if way == SAVED_MODEL:
        served = getattr(model, job["serves"], None) if job.get("serves") else None
        tf.saved_model.save(model, path, signatures=served)
    elif way == EXPORT:
        model.export(path)
    elif way == WEIGHTS:
        model.save_weights(path)
    else:
        model.save(path)


def own_objects(module: ModuleType) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(module).items()
        if (isinstance(value, type) or inspect.isfunction(value))
        and value.__module__ == module.__name__
    }


def reload(way: str, job: Job, module: ModuleType, path: Path, expected: Expected) -> str:
    """Load what Keras wrote and compare the outputs."""
    if way == WEIGHTS:
        model = make_model(job, module)
        call(model, sample(job, SAMPLES))
        model.load_weights(str(path))
    else:
        model = keras.models.load_model(str(path), custom_objects=own_objects(module))
    for rows, arrays in expected.items():
        outcome = compare(arrays, call(model, sample(job, rows)), rows)
        if outcome != OK:
            return outcome
    return OK


def serve(job: Job, path: Path, expected: Expected) -> str:
    """Load a SavedModel and serve it a batch of the sample's size, then another."""
    loaded = tf.saved_model.load(str(path))
    signatures = loaded.signatures
    if not signatures:
        return "NO SIGNATURE"
    name = next((n for n in ("serving_default", "serve") if n in signatures), None)
    signature = signatures[name or next(iter(signatures))]
    for rows, arrays in expected.items():
        try:
            outcome = ask(signature, sample(job, rows), arrays, rows)
        except Exception as error:
            if rows == SAMPLES:
                raise
            return f"FROZEN: {say(error)}"
        if outcome != OK:
            return outcome
    return OK


def ask(signature: Any, tensors: list[Any], arrays: list[Any], rows: int) -> str:
    """Call a signature; its inputs have names, of which the example knows nothing."""
    names = list(signature.structured_input_signature[1])
    if len(names) != len(tensors):
        return f"DIFF: the signature takes {len(names)} inputs, not {len(tensors)}"
    first: str | Exception | None = None
    for order in itertools.permutations(names):
        try:
            outcome: str | Exception = compare(
                arrays, signature(**dict(zip(order, tensors, strict=True))), rows
            )
        except Exception as error:
            outcome = error
        if outcome == OK:
            return OK
        first = outcome if first is None else first
    if isinstance(first, Exception):
        raise first
    return first or "DIFF: a signature without inputs"


# ---------------------------------------------------------------------- the phases of a job


def first_phase(job: Job, place: Path, outcomes: Outcomes) -> None:
    """Build, call, train, save, and reload in the same process."""
    ways = job["ways"]
    if job.get("program"):
        with inside(place, "run"):
            outcomes["run"] = run_program(job)
        return
    try:
        with quiet(), inside(place, "run"):
            module = import_source(job, place)
            made = evaluate(job, module)
    except (Exception, SystemExit) as error:
        outcomes.update({"run": say(error)} if job["saved"] else dict.fromkeys(ways, say(error)))
        return
    if "run" in ways or job["saved"]:
        outcomes["run"] = OK
    if job["saved"]:
        remember(place, expectations(job, made), {})
        return
    if "call" in ways:
        outcomes["call"] = attempt(lambda: try_call(job, module))
    if "functional" in ways:
        outcomes["functional"] = attempt(lambda: try_functional(job, module))
    if STEPS in ways:
        outcomes[STEPS] = attempt(lambda: try_steps(job, module))
    if REPEAT in ways:
        outcomes[REPEAT] = attempt(lambda: try_repeat(job, module, place))
    if RESUME in ways:
        outcomes[RESUME] = attempt(lambda: try_resume(job, module, place))
    rest = [way for way in ways if way == "fit" or way in FILES]
    if not rest:
        return
    model: Any = None

    def prepare() -> None:
        nonlocal model
        model = make_model(job, module)
        call(model, sample(job, SAMPLES))

    outcome = attempt(prepare)
    if outcome == OK and "fit" in ways:
        outcomes["fit"] = attempt(lambda: try_fit(job, model))
        if not outcomes["fit"].startswith((OK, "UNTRAINED", "DIFF")):
            # A fit that raised may leave a model half way; who saves one has not done that.
            outcome = attempt(prepare)
    if outcome != OK:
        for way in rest:
            outcomes.setdefault(way, outcome)
        return
    add_noise(model, module)
    expected = expectations(job, model)
    files: dict[str, str] = {}
    for way in rest:
        if way in FILES:
            outcomes[way] = attempt(partial(save, way, job, model, place))
            if outcomes[way] == OK:
                files[way] = FILES[way]
    remember(place, expected, files)
    seed(22)
    for way in files:
        if way in (KERAS, H5, WEIGHTS):
            outcomes[way] = attempt(partial(reload, way, job, module, place / FILES[way], expected))


def run_program(job: Job) -> str:
    """Run the text as a program of its own; an error is what Python says at the end."""
    path = Path(f"{job['module']}.py")
    path.write_text(job["source"], encoding="utf-8")
    return run_fresh(path) if FLAG in job["source"] else run_forked(path)


def run_forked(path: Path) -> str:
    """Run a program in a child of this process, which has imported TensorFlow, and no more."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        if generation == 2:
            del sys.modules["keras"]
        outcome = attempt(lambda: runpy.run_path(str(path), run_name="__main__") and None)
        os.write(writing, outcome.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        outcome = stream.read()
    _, status = os.waitpid(child, 0)
    return outcome or f"CRASH: the program ended with {os.waitstatus_to_exitcode(status)}"


def run_fresh(path: Path) -> str:
    """Run a program that decides itself which Keras TensorFlow takes."""
    environment = {name: value for name, value in os.environ.items() if name != FLAG}
    finished = subprocess.run(
        [sys.executable, path],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if not finished.returncode:
        return OK
    lines = finished.stderr.rstrip().splitlines()
    starts = [at for at, line in enumerate(lines) if ERROR.match(line)]
    if not starts:
        return f"CRASH: the program ended with {finished.returncode}"
    kind, _, message = "\n".join(lines[starts[-1] :]).partition(": ")
    return f"{kind.rpartition('.')[2]}: {essence(message)}"


def expectations(job: Job, thing: Any) -> Expected:
    """The outputs for both batches; a batch that cannot be called is not compared."""
    expected: Expected = {}
    for rows in (SAMPLES, OTHERS):
        with contextlib.suppress(Exception), quiet():
            expected[rows] = flatten(call(thing, sample(job, rows)))
    return expected


def remember(place: Path, expected: Expected, files: dict[str, str]) -> None:
    (place / "expected.pickle").write_bytes(pickle.dumps((expected, files)))


def second_phase(job: Job, place: Path, outcomes: Outcomes) -> None:
    """Load what is on disk; `outcomes` holds those of the first phase."""
    try:
        expected, files = pickle.loads((place / "expected.pickle").read_bytes())
    except FileNotFoundError:
        return
    for way in (SAVED_MODEL, EXPORT):
        if way in files:
            outcomes[way] = attempt(partial(serve, job, place / files[way], expected))
    if job["saved"]:
        script_phase(job, place, outcomes, expected)
        return
    again = [way for way in (KERAS, H5, WEIGHTS) if way in files and outcomes.get(way) == OK]
    if not again:
        return
    try:
        with quiet(), inside(place, "fresh"):
            module = import_source(job, place)
    except (Exception, SystemExit) as error:
        outcomes.update({way: say(error) + FRESH for way in again})
        return
    for way in again:
        outcome = attempt(partial(reload, way, job, module, place / files[way], expected))
        outcomes[way] = outcome if outcome == OK else outcome + FRESH


def script_phase(job: Job, place: Path, outcomes: Outcomes, expected: Expected) -> None:
    """Load what a script left; a Keras file needs the script's classes, so its module."""
    path = place / "run" / job["saved"]
    served = EXPORT if job["saved"] == FILES[EXPORT] else SAVED_MODEL
    way = next((way for way in (WEIGHTS, KERAS, H5) if job["saved"].endswith(way)), served)
    if not path.exists():
        outcomes[way] = f"FileNotFoundError: {job['saved']}"
    elif way == served:
        outcomes[way] = attempt(lambda: serve(job, path, expected))
    else:

        def load() -> str:
            with inside(place, "fresh"):
                module = import_source(job, place)
            return reload(way, job, module, path, expected)

        outcomes[way] = attempt(load)


@contextlib.contextmanager
def inside(place: Path, name: str) -> Iterator[None]:
    """Run in an empty directory, into which a script may write."""
    folder = place / name
    folder.mkdir(exist_ok=True)
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


# ---------------------------------------------------------------------- processes


def work(phase: str, folder: Path) -> None:
    """A worker: the jobs not yet done in this phase, one line each."""
    start_tensorflow()
    jobs: list[Job] = json.loads((folder / "jobs.json").read_text(encoding="utf-8"))
    known = read_log(folder / "first.log")[0]
    log = folder / f"{phase}.log"
    done, _ = read_log(log)

    def alarm(number: int, frame: FrameType | None) -> None:
        raise JobTimeoutError

    signal.signal(signal.SIGALRM, alarm)
    # A child that runs a program must be made before anything has run here.
    for job in sorted(jobs, key=lambda job: not job.get("program")):
        if job["id"] in done:
            continue
        append(log, {"start": job["id"]})
        place = folder / job["module"]
        place.mkdir(exist_ok=True)
        outcomes = dict(known.get(job["id"], {})) if phase == "second" else {}
        if not job.get("program"):
            keras.backend.clear_session()
            seed(11 if phase == "first" else 33)
        # When Python itself hangs inside TensorFlow, the alarm's handler never runs.
        seconds = job.get("seconds", PROGRAM_SECONDS if job.get("program") else SECONDS)
        faulthandler.dump_traceback_later(2 * seconds, exit=True)
        signal.alarm(seconds)
        try:
            (first_phase if phase == "first" else second_phase)(job, place, outcomes)
        except JobTimeoutError:
            for way in job["ways"]:
                outcomes.setdefault(way, "TIMEOUT")
        except Exception as error:  # the runner's own mistake must not pass for an outcome
            outcomes = dict.fromkeys(job["ways"], f"RUNNER FAILED: {say(error)}")
        finally:
            signal.alarm(0)
            faulthandler.cancel_dump_traceback_later()
        append(log, {"id": job["id"], "outcomes": outcomes})


def append(log: Path, record: dict[str, Any]) -> None:
    with log.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(record) + "\n")


def read_log(log: Path) -> tuple[dict[str, Outcomes], str | None]:
    """The outcomes in a worker's log, and the job it was at when it ended."""
    done: dict[str, Outcomes] = {}
    at: str | None = None
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if "start" in record:
                at = record["start"]
            else:
                done[record["id"]] = record["outcomes"]
    return done, at if at not in done else None


def run(keras_generation: int, jobs: list[Job]) -> dict[str, Outcomes]:
    """The outcomes of all jobs in one generation."""
    environment = {**os.environ, FLAG: str(int(keras_generation == 2))}
    environment["PYTHONHASHSEED"] = "0"
    with tempfile.TemporaryDirectory(prefix="witness") as name:
        folder = Path(name)
        numbered = [dict(job, module=f"example_{n}") for n, job in enumerate(jobs)]
        (folder / "jobs.json").write_text(json.dumps(numbered), encoding="utf-8")
        outcomes: dict[str, Outcomes] = {}
        for phase in ("first", "second"):
            log = folder / f"{phase}.log"
            while True:
                worker = subprocess.run(
                    [sys.executable, __file__, "--work", phase, name],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    check=False,
                )
                done, at = read_log(log)
                if at is not None:
                    how = f"CRASH: the process ended with {worker.returncode}"
                    ways = next(job["ways"] for job in jobs if job["id"] == at)
                    lost = [way for way in ways if way in FILES or phase == "first"]
                    append(
                        log, {"id": at, "outcomes": outcomes.get(at, {}) | dict.fromkeys(lost, how)}
                    )
                elif worker.returncode and len(done) < len(jobs):
                    raise RuntimeError(worker.stderr.decode(errors="replace")[-2000:])
                else:
                    break
            outcomes.update(done)
    return outcomes


def main(arguments: Sequence[str]) -> None:
    if arguments[0] == "--work":
        work(arguments[1], Path(arguments[2]))
        return
    keras_generation, jobs, out = arguments
    outcomes = run(int(keras_generation), json.loads(Path(jobs).read_text(encoding="utf-8")))
    Path(out).write_text(json.dumps(outcomes, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
