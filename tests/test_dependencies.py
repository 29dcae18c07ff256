"""What a project declares, in every file that can declare it, and what this decides."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from savelint.dependencies import Dependencies, declared
from savelint.keras.generation import Evidence, Keras

BELOW, ABOVE = Keras.V2, Keras.V3


def evidence(root: Path, files: dict[str, str], model: str = "model.py") -> Evidence | None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (root / ".git").mkdir(exist_ok=True)
    return Dependencies().evidence(str(root / model))


def generation(root: Path, files: dict[str, str]) -> Keras | None:
    found = evidence(root, files)
    return found.keras if found else None


@pytest.mark.parametrize(
    ("requirement", "keras"),
    [
        ("tensorflow<2.16", BELOW),
        ("tensorflow < 2.16.0", BELOW),
        ("tensorflow>=2.4,<2.16", BELOW),
        ("tensorflow<2.11", BELOW),
        ("tensorflow<=2.15.1", BELOW),
        ("tensorflow==2.10.*", BELOW),
        ("tensorflow==2.10.0", BELOW),
        ("tensorflow===2.10.0", BELOW),
        ("tensorflow~=2.12.0", BELOW),
        ("tensorflow (>=2.4,<2.16)", BELOW),
        ("tensorflow[and-cuda]==2.15.0 ; sys_platform == 'linux'", BELOW),
        ("tensorflow-cpu<2.16", BELOW),
        ("tensorflow_gpu==2.6", BELOW),
        ("TensorFlow.GPU==2.6", BELOW),
        ("tensorflow-text<2.16", BELOW),
        ("tf-nightly<2.16.dev0", BELOW),
        ("keras<3", BELOW),
        ("keras<=2.3.1", BELOW),
        ("keras==2.*", BELOW),
        ("keras~=2.6", BELOW),
        ("tf_keras", BELOW),
        ("tf-keras>=2.16", BELOW),
        ("tensorflow-addons", BELOW),
        ("tensorflow>=2.16", ABOVE),
        ("tensorflow>=2.16.1", ABOVE),
        ("tensorflow~=2.17.0", ABOVE),
        ("tensorflow==2.16.*", ABOVE),
        ("tensorflow==2.18.0", ABOVE),
        ("tf-nightly==2.20.0.dev20250101", ABOVE),
        ("keras>=3", ABOVE),
        ("keras>=3.0.2,<4", ABOVE),
        ("keras==3.*", ABOVE),
        ("keras-hub", ABOVE),
        ("keras-core>=0.1", ABOVE),
        # Both generations are possible.
        ("tensorflow", None),
        ("tensorflow>=2.4", None),
        ("tensorflow<3", None),
        ("tensorflow<=2.16", None),
        ("tensorflow<2.16.1", None),
        ("tensorflow~=2.12", None),
        ("tensorflow==2.*", None),
        ("tensorflow!=2.16", None),
        ("tensorflow>2.15", None),
        ("tensorflow @ https://example.org/tensorflow-2.10-py3-none-any.whl", None),
        ("keras", None),
        ("keras>=2", None),
        ("keras<4", None),
        # No requirement of these packages.
        ("tensorflow-datasets<2", None),
        ("keras-tuner==1.4", None),
        ("# tensorflow<2.16", None),
        ("numpy<2  # for tensorflow<2.16", None),
        ("-c tensorflow<2.16", None),
        ("", None),
    ],
)
def test_one_requirement(tmp_path: Path, requirement: str, keras: Keras | None) -> None:
    assert generation(tmp_path, {"requirements.txt": f"numpy\n{requirement}\nscipy\n"}) == keras


@pytest.mark.parametrize(
    ("requirements", "keras"),
    [
        (("tensorflow>=2.4", "keras<3"), BELOW),
        (("tensorflow<2.16", "tensorflow-cpu<2.16"), BELOW),
        (("tensorflow>=2.4", "keras>=3"), ABOVE),
        (("tensorflow<2.16", "keras>=3"), None),
        (("tensorflow<2.11; python_version < '3.9'", "tensorflow>=2.16"), None),
        (("tensorflow>=2.16", "tf_keras"), BELOW),  # runs on tf_keras, whatever tf.keras is
        (("keras>=3", "tf_keras"), None),
    ],
)
def test_several_requirements(
    tmp_path: Path, requirements: tuple[str, ...], keras: Keras | None
) -> None:
    assert generation(tmp_path, {"requirements.txt": "\n".join(requirements)}) == keras


PYPROJECT = """\
[project]
name = "x"
dependencies = ["numpy", "tensorflow>=2.4,<2.16"]
"""
EXTRA = '[project.optional-dependencies]\ntf = ["tensorflow<2.16"]\n'
GROUP = '[dependency-groups]\ndev = [{include-group = "x"}, "tensorflow<2.16"]\n'
POETRY = '[tool.poetry.dependencies]\npython = "^3.9"\ntensorflow = "{}"\n'
SETUP_CFG = """\
[options]
install_requires =
    numpy
    tensorflow<2.16

[options.extras_require]
tests =
    pytest
"""
SETUP = """\
from setuptools import setup
raise SystemExit("never executed")
setup(name="x", {})
"""
CONDA = """\
name: x
channels:
  - conda-forge
dependencies:
  - python=3.9
  - {}
"""


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("pyproject.toml", PYPROJECT, "tensorflow>=2.4,<2.16"),
        ("pyproject.toml", EXTRA, "tensorflow<2.16"),
        ("pyproject.toml", GROUP, "tensorflow<2.16"),
        ("pyproject.toml", POETRY.format("~2.10"), "tensorflow~2.10"),
        ("pyproject.toml", POETRY.format("2.10.*"), "tensorflow==2.10.*"),
        ("pyproject.toml", POETRY.format("2.10"), "tensorflow==2.10"),
        (
            "pyproject.toml",
            '[tool.poetry.dependencies]\ntensorflow = {version = "<2.16", optional = true}',
            "tensorflow<2.16",
        ),
        (
            "pyproject.toml",
            '[[tool.poetry.dependencies.tensorflow]]\nversion = "<2.16"\nmarkers = "x"\n',
            "tensorflow<2.16",
        ),
        ("pyproject.toml", '[tool.poetry.group.a.dependencies]\ntf_keras = "*"\n', "tf_keras"),
        ("pyproject.toml", '[tool.poetry.dev-dependencies]\nkeras = "<3"\n', "keras<3"),
        ("setup.cfg", SETUP_CFG, "tensorflow<2.16"),
        ("setup.cfg", "[options.extras_require]\ntf = tensorflow<2.16\n", "tensorflow<2.16"),
        ("setup.py", SETUP.format("install_requires=['tensorflow<2.16']"), "tensorflow<2.16"),
        ("setup.py", SETUP.format("install_requires='a\\ntensorflow<2.16'"), "tensorflow<2.16"),
        ("setup.py", SETUP.format("extras_require={'a': ['keras<3']}"), "keras<3"),
        (
            "setup.py",
            "NEEDS = ['tensorflow<2.16']\n"
            + SETUP.format("install_requires=['a', *NEEDS] + open('b').read().split()"),
            "tensorflow<2.16",
        ),
        ("requirements.txt", "\ufefftensorflow==2.10 --hash=sha256:0\n", "tensorflow==2.10"),
        ("requirements.txt", "tensorflow==2.10 \\\n    --hash=sha256:0\n", "tensorflow==2.10"),
        ("requirements-gpu.txt", "tensorflow-gpu==2.10\n", "tensorflow-gpu==2.10"),
        ("requirements/base.txt", "tensorflow==2.10\n", "tensorflow==2.10"),
        ("environment.yml", CONDA.format("tensorflow=2.10"), "tensorflow==2.10.*"),
        ("environment.yml", CONDA.format("'tensorflow=2.10=gpu_1'  # x"), "tensorflow==2.10.*"),
        ("environment.yml", CONDA.format("conda-forge::keras<3"), "keras<3"),
        ("environment.yaml", CONDA.format("pip:\n    - tensorflow==2.10"), "tensorflow==2.10"),
        ("Pipfile", '[packages]\ntensorflow = "<2.16"\n', "tensorflow<2.16"),
        ("Pipfile", '[dev-packages]\ntf-keras = {version = "*"}\n', "tf-keras"),
    ],
)
def test_every_file_names_itself_and_the_requirement(
    tmp_path: Path, file: str, text: str, reason: str
) -> None:
    assert evidence(tmp_path, {file: text}) == (Keras.V2, f"{file} requires {reason}")


@pytest.mark.parametrize("bounds", ["^2.10", "*", ">=2.4", "^2.10 || ^2.16"])
def test_poetry_bounds_that_allow_both(tmp_path: Path, bounds: str) -> None:
    assert evidence(tmp_path, {"pyproject.toml": POETRY.format(bounds)}) is None


def test_run_time_decides_before_extras(tmp_path: Path) -> None:
    text = PYPROJECT + '[project.optional-dependencies]\nnew = ["tensorflow>=2.16"]\n'
    assert generation(tmp_path, {"pyproject.toml": text}) is Keras.V2


def test_extras_decide_where_run_time_does_not(tmp_path: Path) -> None:
    text = PYPROJECT.replace(",<2.16", "") + EXTRA
    assert generation(tmp_path, {"pyproject.toml": text}) is Keras.V2


def test_a_contradiction_at_run_time_is_not_settled_by_extras(tmp_path: Path) -> None:
    files = {"pyproject.toml": PYPROJECT + EXTRA, "requirements.txt": "tensorflow>=2.16"}
    assert generation(tmp_path, files) is None


def test_alternative_extras_decide_nothing(tmp_path: Path) -> None:
    text = '[project.optional-dependencies]\na = ["tensorflow<2.16"]\nb = ["tensorflow>=2.16"]'
    assert generation(tmp_path, {"pyproject.toml": text}) is None


def test_tests_of_both_generations_decide_nothing(tmp_path: Path) -> None:
    text = '[project.optional-dependencies]\ntest = ["tensorflow>=2.16", "tf_keras"]'
    assert generation(tmp_path, {"pyproject.toml": text}) is None


def test_the_nearest_directory_that_names_keras_has_the_say(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": PYPROJECT,
        "new/requirements.txt": "keras>=3",
        "any/requirements.txt": "tensorflow>=2.4",
        "docs/requirements.txt": "sphinx",
        "docs/pyproject.toml": "[tool.ruff]\nline-length = 100  # keras\n",
    }
    old = Evidence(Keras.V2, "pyproject.toml requires tensorflow>=2.4,<2.16")
    assert evidence(tmp_path, files) == old
    dependencies = Dependencies()
    for directory, expected in (
        ("a/b/c", old),
        ("new/a", Evidence(Keras.V3, "requirements.txt requires keras>=3")),
        ("any", None),
        ("docs/a", old),
        ("new", Evidence(Keras.V3, "requirements.txt requires keras>=3")),
    ):
        assert dependencies.evidence(str(tmp_path / directory / "model.py")) == expected


def test_the_search_ends_at_the_repository(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("tensorflow<2.16")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / ".git").write_text("gitdir: elsewhere")
    assert Dependencies().evidence(str(inner / "model.py")) is None
    assert Dependencies().evidence(str(tmp_path / "other" / "model.py")) is not None


def test_a_directory_is_read_once(tmp_path: Path) -> None:
    evidence(tmp_path, {"requirements.txt": "tensorflow<2.16"})
    dependencies = Dependencies()
    first = dependencies.evidence(str(tmp_path / "a" / "b.py"))
    (tmp_path / "requirements.txt").unlink()
    assert first is not None
    assert dependencies.evidence(str(tmp_path / "a" / "c.py")) is first
    assert dependencies.evidence(str(tmp_path / "c.py")) is first


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("pyproject.toml", b"[project\ndependencies = ['tensorflow<2.16']"),
        ("pyproject.toml", b"project = 'tensorflow<2.16'\n"),
        ("pyproject.toml", b"[project]\ndependencies = 'tensorflow<2.16'\n"),
        ("pyproject.toml", b"[project]\ndependencies = [1, ['tensorflow<2.16']]\n"),
        ("pyproject.toml", b"# \xff tensorflow\n[project]\ndependencies = ['tensorflow<2.16']"),
        ("pyproject.toml", b"[tool.poetry.dependencies]\ntensorflow = 2\n"),
        ("pyproject.toml", b"x = " + b"[" * 5000 + b"'tensorflow'" + b"]" * 5000),
        ("Pipfile", b"packages = ['tensorflow<2.16']"),
        ("setup.cfg", b"install_requires = tensorflow<2.16\n"),
        ("setup.cfg", b"[options]\ninstall_requires = %(tensorflow)s\n"),
        ("setup.py", b"setup(install_requires=['tensorflow<2.16']"),
        ("setup.py", b"setup(install_requires=['tensorflow<2.16'])\0"),
        ("setup.py", b"A = B\nB = A + ['tensorflow']\nsetup(install_requires=A)"),
        ("setup.py", b"setup(install_requires=[f'tensorflow<{version}'])"),
        ("requirements.txt", b"\xfft\x00e\x00"),
        ("requirements.txt", b"\xff tensorflow<2.16"),
        ("environment.yml", b"dependencies: tensorflow<2.16"),
        ("environment.yml", b"- tensorflow<2.16"),
    ],
)
def test_what_cannot_be_read_is_no_evidence(tmp_path: Path, file: str, data: bytes) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / file).write_bytes(data)
    assert Dependencies().evidence(str(tmp_path / "model.py")) is None


def test_a_directory_by_such_a_name_is_no_evidence(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").mkdir()
    (tmp_path / "requirements").write_text("tensorflow<2.16")
    assert list(declared(str(tmp_path))) == []
    assert list(declared(str(tmp_path / "none"))) == []
    assert Dependencies().evidence(str(tmp_path / "none" / "model.py")) is None


def test_a_broken_file_does_not_hide_the_others(tmp_path: Path) -> None:
    files = {"pyproject.toml": "[tensorflow", "requirements.txt": "tensorflow<2.16"}
    assert generation(tmp_path, files) is Keras.V2


def check(directory: Path, text: str) -> subprocess.CompletedProcess[str]:
    """`savelint check -v` of one file, and on standard output whether the search was imported."""
    (directory / "model.py").write_text(text)
    program = (
        "import sys\nfrom savelint.cli import main\n"
        "sys.argv = ['savelint', 'check', '-v', 'model.py']\n"
        "try:\n    main()\nfinally:\n    print('savelint.dependencies' in sys.modules)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program], cwd=directory, capture_output=True, text=True
    )


def test_the_evidence_reaches_the_reader(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("tensorflow==2.15.0\n")
    run = check(tmp_path, "import tensorflow as tf\n")
    line = "model.py: Keras 2 (requirements.txt requires tensorflow==2.15.0)"
    assert line in run.stderr.splitlines()
    assert run.returncode == 0


@pytest.mark.parametrize("text", ["x = 1\n", "import tf_keras\n", "from keras import ops\n"])
def test_no_directory_is_searched_where_the_file_decides(tmp_path: Path, text: str) -> None:
    (tmp_path / "requirements.txt").write_text("tensorflow==2.15.0\n")
    assert check(tmp_path, text).stdout.splitlines()[-1] == "False"
