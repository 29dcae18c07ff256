"""Save a model under every condition, for real, and say what preflight had said of it.

    python saver.py GENERATION NEEDS OUT

A program of its own, for a generation is chosen by the first import of TensorFlow. NEEDS are
what the machine allows, separated by commas: "mount", "root". OUT gets a JSON list of
outcomes, one per condition and call that saves.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import re
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conditions import CONDITIONS, NAMES, NEED, Condition, Place, root_again

import savelint

SIDE = 512  # of the only weight, a square of float32: 1 MiB
NUMBERED = "Checkpoint.save"

tf: Any = None
generation = 3

Save = Callable[[Any, str], object]
Outcome = dict[str, Any]


def start_tensorflow() -> None:
    global tf
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    os.environ["TF_USE_LEGACY_KERAS"] = "1" if generation == 2 else "0"
    warnings.simplefilter("ignore")
    tf = importlib.import_module("tensorflow")
    importlib.import_module("absl.logging").set_verbosity("fatal")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def make_model() -> Any:
    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.Input((SIDE,)), layers.Dense(SIDE, use_bias=False)])
    model(tf.zeros((1, SIDE)))
    return model


def calls() -> dict[str, tuple[str, Save]]:
    """The calls that save, each with the kind of what it writes."""
    result: dict[str, tuple[str, Save]] = {
        "model.save(.keras)": ("keras", lambda m, p: m.save(p)),
        "model.save(.h5)": ("h5", lambda m, p: m.save(p)),
        "model.save_weights(.weights.h5)": ("weights", lambda m, p: m.save_weights(p)),
        "tf.saved_model.save": ("saved-model", lambda m, p: tf.saved_model.save(m, p)),
        "model.export": ("saved-model", export),
        "Checkpoint.write": ("checkpoint", lambda m, p: tf.train.Checkpoint(m=m).write(p)),
        NUMBERED: ("checkpoint", lambda m, p: tf.train.Checkpoint(m=m).save(p)),
    }
    if generation == 2:
        result["model.save(directory)"] = ("saved-model", lambda m, p: m.save(p))
        result["model.save_weights(prefix)"] = ("checkpoint", lambda m, p: m.save_weights(p))
    return result


def export(model: Any, path: str) -> None:
    # Keras 3 prints the signature unless told otherwise, Keras 2 cannot be told.
    model.export(path, **({"verbose": False} if generation == 3 else {}))


# ---------------------------------------------------------------------- what came of it


def missing(kind: str, call: str, path: str) -> str:
    """Why what was saved cannot be read where it was meant to be; nothing if it can."""
    meant = os.path.expandvars(os.path.expanduser(path)).removeprefix("file://")
    if not meant or "\0" in meant or "://" in meant:
        return "there is no such place"
    if not os.path.isdir(os.path.dirname(meant) or "."):
        meant = os.path.normpath(meant)  # `missing/..` can only mean that
    try:
        if kind == "keras":
            with zipfile.ZipFile(meant) as archive:
                return archive.testzip() or ""
        if kind in ("h5", "weights"):
            return "" if SIDE * SIDE in hdf5_sizes(meant) else "the weights are missing"
        prefix = meant + ("-1" if call == NUMBERED else "")
        if kind == "saved-model":
            if not Path(meant, "saved_model.pb").stat().st_size:
                return "the graph is missing"
            prefix = f"{meant}/variables/variables"
        if not os.path.exists(f"{prefix}.index"):
            return "the index is missing"
        shapes = tf.compat.v1.train.NewCheckpointReader(prefix).get_variable_to_shape_map()
        return "" if [SIDE, SIDE] in shapes.values() else "the weights are missing"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def hdf5_sizes(path: str) -> list[int]:
    h5py = importlib.import_module("h5py")
    sizes: list[int] = []
    with h5py.File(path) as file:
        file.visititems(lambda _, item: sizes.append(getattr(item, "size", 0)))
    return sizes


def snapshot(base: Path) -> set[tuple[object, ...]]:
    """All that stands below a directory, with sizes, modes and times of change."""
    found: set[tuple[object, ...]] = set()
    with root_again():
        for root, directories, files, descriptor in os.fwalk(base):
            for name in (".", *directories, *files):
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                times = status.st_mtime_ns, status.st_size, status.st_blocks
                found.add((ascii(root), ascii(name), status.st_mode, status.st_ino, *times))
    return found


def say(error: BaseException, base: str) -> str:
    """An error's class and message, without what varies and what TensorFlow adds."""
    message = re.sub(r"\{\{function_node .*?\}\} ", "", str(error))
    message = re.sub(r" \[Op:\w+\]$", "", message)
    return f"{type(error).__name__}: {message}".replace(base, "BASE")


# ---------------------------------------------------------------------- running


def run(condition: Condition, call: str, kind: str, save: Save, model: Any, good: Path) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="preflight", ignore_cleanup_errors=True) as name:
        base = Path(name)
        with condition.make(Place(base, kind, good, numbered=call == NUMBERED)) as path:
            before = snapshot(base)
            result = savelint.preflight(path, kind=kind, need=NEED, keras_version=generation)
            left = [str(entry) for entry in before ^ snapshot(base)]
            error, lost = "", ""
            try:
                save(model, path)
                lost = missing(kind, call, path)
            except Exception as raised:
                error = say(raised, name)
        return {
            "condition": condition.name,
            "call": call,
            "verdict": result.verdict.value,
            "codes": [problem.code for problem in result.problems],
            "expected": [problem.error.replace(name, "BASE") for problem in result.problems],
            "error": error,
            "lost": lost.replace(name, "BASE"),
            "left": left,
        }


def main(needs: set[str], out: Path, only: str) -> None:
    start_tensorflow()
    model = make_model()
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="good") as name:
        goods: dict[str, Path] = {}
        for call, (kind, save) in calls().items():
            goods[call] = Path(name, str(len(goods)))
            goods[call].mkdir()
            save(model, str(goods[call] / NAMES[kind]))
        gc.collect()
        gc.freeze()  # all of TensorFlow is looked through by every collection otherwise
        for condition in CONDITIONS:
            if condition.needs <= needs and only in condition.name:
                for call, (kind, save) in calls().items():
                    if kind in condition.kinds:
                        outcomes.append(run(condition, call, kind, save, model, goods[call]))
    out.write_text(json.dumps(outcomes, indent=0), encoding="utf-8")
    # The HDF5 library may crash at exit over a file that it could not write.
    os._exit(0)


if __name__ == "__main__":
    generation = int(sys.argv[1])
    main(set(filter(None, sys.argv[2].split(","))), Path(sys.argv[3]), (*sys.argv, "")[4])
