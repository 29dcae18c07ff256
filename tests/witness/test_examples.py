"""The shipped example models: what savelint says of them, and that their fixed form works."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import savelint

EXAMPLES = Path(__file__).parents[1] / "examples"

# What each fixed program must do, run behind its own text; it prints a JSON object.
PROBES = {
    # Sampled with 4 rows, it serves 8.
    "a_dynamic_reshape": """
served = tf.saved_model.load("patches").signatures["serving_default"]
batch = tf.random.normal([8, 6])
(answer,) = served(batch).values()
report["rows"] = int(answer.shape[0])
report["equal"] = bool(np.allclose(answer, model(batch), atol=1e-5))
""",
    "b_function_on_call": """
model = Patches()
batch, target = tf.random.normal([8, 6]), tf.random.normal([8, 2, 4])
model(batch)
before = [np.array(w) for w in model.get_weights()]
model.compile("sgd", "mse")
model.fit(batch, target, verbose=0)
report["trained"] = [bool((a != b).any()) for a, b in zip(before, model.get_weights())]
tf.saved_model.save(model, "served", signatures=model.serve)
served = tf.saved_model.load("served").signatures["serving_default"]
(answer,) = served(batch[:5]).values()
report["equal"] = bool(np.allclose(answer, model(batch[:5]), atol=1e-5))
""",
    "c_variable": "LINEAR",
    "d_numpy_weight": "LINEAR",
}
LINEAR = """
inputs = tf.keras.Input([6])
model = tf.keras.Model(inputs, Linear()(inputs))
batch, target = tf.random.normal([8, 6]), tf.random.normal([8, 3])
before = [np.array(w) for w in model.get_weights()]
model.compile("sgd", "mse")
model.fit(batch, target, verbose=0)
report["trained"] = [bool((a != b).any()) for a, b in zip(before, model.get_weights())]
model.save("linear.keras")
again = tf.keras.models.load_model("linear.keras", custom_objects={"Linear": Linear})
report["equal"] = bool(np.allclose(again(batch), model(batch), atol=1e-5))
"""
EXPECTED = {
    "a_dynamic_reshape": {"rows": 8, "equal": True},
    "b_function_on_call": {"trained": [True, True], "equal": True},
    "c_variable": {"trained": [True], "equal": True},
    "d_numpy_weight": {"trained": [True], "equal": True},
}
CODES = {
    "a_dynamic_reshape": {3: ["SVL101", "SVL102"], 2: []},
    # Nothing tells that it is never saved whole, and its constructor takes no `**kwargs`.
    "b_function_on_call": {3: ["SVL306", "SVL104"], 2: []},
    "c_variable": {3: ["SVL202"], 2: []},
    "d_numpy_weight": {3: ["SVL201"], 2: ["SVL201"]},
}

by_name = pytest.mark.parametrize("name", CODES)
# In Keras 2 the second one is clean as it is: there is no serving method to try.
RUNS = [(name, keras) for name in CODES for keras in (2, 3) if (name[0], keras) != ("b", 2)]

by_keras = pytest.mark.parametrize("keras", [2, 3])


def text(name: str) -> str:
    return (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")


def test_every_example_is_here() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == CODES.keys()


@by_keras
@by_name
def test_the_findings_are_those_of_the_generation(name: str, keras: int) -> None:
    found = savelint.check_source(text(name), keras_version=keras)
    assert [finding.code for finding in found] == CODES[name][keras]


@by_keras
@by_name
def test_all_fixes_leave_nothing(name: str, keras: int) -> None:
    fixed = savelint.fix_source(text(name), keras_version=keras, unsafe=True)
    assert savelint.check_source(fixed, keras_version=keras) == ()


@pytest.mark.tensorflow
@pytest.mark.parametrize(("name", "keras"), RUNS)
def test_the_fixed_program_works(name: str, keras: int, tmp_path: Path) -> None:
    fixed = savelint.fix_source(text(name), keras_version=keras, unsafe=True)
    probe = PROBES[name].replace("LINEAR", LINEAR)
    program = tmp_path / "program.py"
    program.write_text(
        f"{fixed}\n\nimport json\nimport numpy as np\nreport = {{}}\n{probe}\n"
        "print('REPORT', json.dumps(report))\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": str(int(keras == 2))}
    result = subprocess.run(
        [sys.executable, program.name],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    found = re.search(r"^REPORT (.*)$", result.stdout, re.MULTILINE)
    assert found is not None
    assert json.loads(found.group(1)) == EXPECTED[name]
