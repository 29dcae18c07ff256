"""Preflight: each check as far as it goes without TensorFlow, root and mounts.

`tests/preflight` has the rest: what it says is compared with saves on real file systems.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

import savelint
from savelint.cli import cli
from savelint.destination import probe
from savelint.destination.outcome import CHECKS, Kind, Preflight, Verdict
from savelint.destination.size import parse_size, size_text

FILES = ["m.keras", "m.h5", "m.weights.h5"]
TREES = ["m", "m.ckpt"]
KERAS_ZIP = b"PK\x03\x04" + bytes(60)
FULL = """\
ok: m.keras: a `.keras` file of Keras 3 can be saved here (without --need, whether the model fits is
    not known)
P17 note: there is a model, which is overwritten in place: if saving fails or is killed, both the
          old and the new one are lost
help: save beside it, then rename:
      path = os.path.realpath(path)
      tmp = path[:-6] + f".tmp{os.getpid()}.keras"
      try:
          model.save(tmp)
          os.replace(tmp, path)
      finally:
          if os.path.exists(tmp):
              os.remove(tmp)

P07 fails: no/m.keras: there is no directory no
  = model.save makes none; the ModelCheckpoint callback would
  = saving with Keras 3 raises FileNotFoundError: [Errno 2] No such file or directory: 'no/m.keras'
help: os.makedirs('no', exist_ok=True)

2 paths: 1 will fail, 1 can be saved to.
"""


@pytest.fixture(autouse=True)
def _working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def codes(result: Preflight) -> list[str]:
    return [problem.code for problem in result.problems]


def only(path: str, code: str, **options: object) -> str:
    """The error of the only problem, which must make saving fail."""
    result = savelint.preflight(path, **options)  # type: ignore[arg-type]
    assert (result.verdict, codes(result)) == (Verdict.FAILS, [code])
    (problem,) = result.problems
    assert problem.message
    assert problem.name == CHECKS[code]
    return problem.error


# ---------------------------------------------------------------------- for users


def test_a_path_that_is_well(tmp_path: Path) -> None:
    for name in (*FILES, *TREES):
        result = savelint.preflight(tmp_path / name, need="1kB")
        assert (result.ok, result.problems, result.advice) == (True, (), ())
        assert result.raise_if_bad() is result
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("m.keras", Kind.KERAS),
        ("a/m.weights.h5", Kind.WEIGHTS),
        ("m.h5", Kind.H5),
        ("m.hdf5", Kind.H5),
        ("M.H5 ", Kind.H5),
        ("m.ckpt", Kind.CHECKPOINT),
        ("runs/7", Kind.SAVED_MODEL),
        ("runs/7/", Kind.SAVED_MODEL),
        ("resnet-v1.5", Kind.SAVED_MODEL),
        ("m.pkl", None),
        ("m.pb", None),
    ],
)
def test_the_suffix_tells_the_kind(path: str, kind: Kind | None) -> None:
    assert savelint.preflight(path).kind is kind


def test_without_a_kind_nothing_is_known() -> None:
    result = savelint.preflight("m.pkl")
    assert (result.verdict, codes(result)) == (Verdict.UNKNOWN, ["P01"])
    assert result.raise_if_bad() is result
    with pytest.raises(savelint.PreflightError):
        result.raise_if_bad(unknown=True)
    assert savelint.preflight("m.pkl", kind="saved-model").ok


def test_raising_says_everything() -> None:
    with pytest.raises(savelint.PreflightError) as caught:
        savelint.preflight("runs/m.keras").raise_if_bad()
    text = str(caught.value)
    assert "P07 there is no directory runs" in text
    assert "os.makedirs('runs', exist_ok=True)" in text
    assert "saving with Keras 3 raises FileNotFoundError" in text
    result = pickle.loads(pickle.dumps(caught.value)).result  # as between processes
    assert isinstance(result, savelint.Preflight)
    assert codes(result) == ["P07"]


@pytest.mark.parametrize(
    "options",
    [{"kind": "pickle"}, {"need": "3QB"}, {"need": -1}, {"need": ""}, {"keras_version": 4}],
)
def test_what_makes_no_sense_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"kind|size|need|keras_version"):
        savelint.preflight("m.keras", **options)  # type: ignore[arg-type]


def test_bytes_are_no_path() -> None:
    with pytest.raises(TypeError):
        savelint.preflight(b"m.keras")  # type: ignore[arg-type]


def test_the_function_imports_nothing_heavy() -> None:
    program = (
        "import sys, savelint\nsavelint.preflight('m.keras')\nsavelint.preflight('m.keras')\n"
        "assert not {'libcst', 'click', 'rich', 'pathspec'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("200MB", 200_000_000),
        ("1.5GiB", 3 << 29),
        ("800 k", 800_000),
        (".5T", 500_000_000_000),
        ("7B", 7),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_sizes_for_people() -> None:
    assert [size_text(n) for n in (0, 999, 1500, 2_000_000_000)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "2 GB",
    ]


# ---------------------------------------------------------------------- the command line


def test_exit_codes() -> None:
    def code(*arguments: str) -> int:
        return CliRunner().invoke(cli, ["preflight", *arguments]).exit_code

    assert code("m.keras", "m.h5", "--need", "1kB") == 0
    assert code("m.keras", "runs/m.keras", "m.pkl") == 1
    assert code("m.keras", "m.pkl") == 2
    assert code() == code("m.keras", "--need", "much") == code("m.keras", "--kind", "x") == 2


def test_full_output(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(KERAS_ZIP)
    output = CliRunner().invoke(cli, ["preflight", "m.keras", "no/m.keras"]).output
    assert output == FULL


def test_output_does_not_steer_the_terminal() -> None:
    output = CliRunner().invoke(cli, ["preflight", "\x1b[2J\n.keras"]).output
    assert "\x1b" not in output
    assert "␛[2J␊.keras" in output


def test_json_output() -> None:
    arguments = ["preflight", "no/m.h5", "no/m.keras", "--need", "1kB", "--output-format", "json"]
    well, bad = json.loads(CliRunner().invoke(cli, arguments).output)
    assert well == {
        "path": "no/m.h5",
        "kind": "h5",
        "keras_version": 3,
        "need": 1000,
        "verdict": "ok",
        "problems": [],
        "advice": [],
    }
    (problem,) = bad["problems"]
    assert (problem["code"], problem["name"]) == ("P07", "missing-parent")
    assert problem.keys() == {"code", "name", "verdict", "message", "reason", "error", "help"}


def test_the_command_offers_every_kind() -> None:
    (option,) = [p for p in cli.commands["preflight"].params if p.name == "kind"]
    assert list(option.type.choices) == [kind.value for kind in Kind]  # type: ignore[attr-defined]


# ---------------------------------------------------------------------- P01 to P05


@pytest.mark.parametrize("kind", [kind.value for kind in Kind])
def test_p01_empty(kind: str) -> None:
    only("", "P01", kind=kind)


@pytest.mark.parametrize("name", ["m.model", "M.KERAS", "m.keras ", "m.keras/"])
def test_p01_suffix(name: str) -> None:
    assert "Invalid filepath extension" in only(name, "P01", kind="keras")
    assert only(name, "P01", kind="keras", keras_version=2) == ""
    assert "must end in `.weights.h5`" in only(name, "P01", kind="weights")


def test_p01_names_the_path_that_was_meant() -> None:
    for name in ("M.KERAS", "M.keras ", "M.keras/", "M"):
        (problem,) = savelint.preflight(name, kind="keras").problems
        assert problem.help == "save to M.keras"


def test_p01_another_kind() -> None:
    result = savelint.preflight("m.h5", kind="keras")
    assert (result.verdict, codes(result)) == (Verdict.UNKNOWN, ["P01"])
    assert savelint.preflight("m.h5", kind="weights", keras_version=2).ok


@pytest.mark.parametrize("name", [*FILES, *TREES])
def test_p02_nul(name: str) -> None:
    only(f"a\0{name}", "P02")


def test_p02_not_utf_8() -> None:
    assert "UnicodeEncodeError" in only("\udcff", "P02", kind="saved-model")
    assert savelint.preflight("\udcff.keras").ok


def test_p03_remote() -> None:
    for scheme in ("gs", "s3", "hdfs", "http"):
        for name in (*FILES, *TREES):
            path = f"{scheme}://bucket/{name}"
            assert codes(savelint.preflight(path)) == ["P03"]
            assert savelint.preflight(path, keras_version=2).verdict is Verdict.UNKNOWN
        assert savelint.preflight(f"{scheme}://bucket/m.h5").verdict is Verdict.FAILS


def test_p03_schemes_that_tensorflow_says_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    gfile = SimpleNamespace(get_registered_schemes=lambda: ["", "file", "gs"])
    loaded = SimpleNamespace(io=SimpleNamespace(gfile=gfile))
    monkeypatch.setitem(sys.modules, "tensorflow", loaded)
    assert savelint.preflight("s3://bucket/m.keras").verdict is Verdict.FAILS
    for path in ("gs://bucket/m.keras", "hf://user/m"):
        assert savelint.preflight(path).verdict is Verdict.UNKNOWN


def test_p03_the_local_scheme(tmp_path: Path) -> None:
    assert savelint.preflight(f"file://{tmp_path}/m.keras").ok
    only(f"file://{tmp_path}/no/m.keras", "P07")
    only(f"file://{tmp_path}/m.h5", "P03")
    assert savelint.preflight(f"file://{tmp_path}/m.h5", keras_version=2).ok


def test_p04_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert "'~/m.keras'" in only("~/m.keras", "P04")
    for name in ("m.h5", *TREES):
        assert only(f"~/{name}", "P04") == ""
    (tmp_path / "~").mkdir()  # as an earlier run has left it
    assert only("~/m.keras", "P04") == ""
    assert savelint.preflight("~backup.keras").ok


def test_p04_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUN", "7")
    only("$RUN/m.h5", "P04")
    only("a/${RUN}", "P04")
    assert savelint.preflight("$UNSET_VARIABLE/m.h5").verdict is Verdict.UNKNOWN
    assert savelint.preflight("$UNSET_VARIABLE/m.keras").verdict is Verdict.FAILS
    assert savelint.preflight("cost$5.keras").ok
    (tmp_path / "$RUN").mkdir()
    assert savelint.preflight("$RUN/m.h5").ok


@pytest.mark.parametrize("name", [*FILES, *TREES])
def test_p05_name(name: str) -> None:
    only("n" * 256 + name, "P05")
    only("ü" * 128 + name, "P05")
    only("n" * 256 + "/" + name, "P05")


def test_p05_path() -> None:
    only("d/" * 2100 + "m.h5", "P05")
    only("d/" * 2000 + "m", "P05")
    assert savelint.preflight("d/" * 2000 + "m.h5").ok


def test_p05_what_is_added_to_a_prefix() -> None:
    assert savelint.preflight("n" * 233, kind="checkpoint").ok
    assert savelint.preflight("n" * 234, kind="checkpoint").verdict is Verdict.UNKNOWN
    only("n" * 236, "P05", kind="checkpoint")


# ---------------------------------------------------------------------- P06 to P09


@pytest.mark.parametrize("name", [*FILES, *TREES])
def test_p06_a_file_on_the_way(name: str, tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    for path in (f"runs/{name}", f"runs/7/{name}"):
        for generation in (2, 3):
            error = only(path, "P06", keras_version=generation)
            assert "ot a directory" in error


def test_p07_missing_parents() -> None:
    for name in ("m.keras", "m.weights.h5"):
        assert f"no/7/{name}" in only(f"no/7/{name}", "P07")
    for name in ("m.h5", *TREES):
        assert savelint.preflight(f"no/7/{name}").ok


@pytest.mark.parametrize("name", [*FILES, *TREES])
def test_p07_no_working_directory(name: str, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    only(name, "P07")
    os.chdir(tmp_path)


@pytest.mark.parametrize("name", [*FILES, *TREES])
def test_p08_a_broken_link_on_the_way(name: str, tmp_path: Path) -> None:
    (tmp_path / "runs").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    only(f"runs/{name}", "P08")
    only(f"loop/{name}", "P08")


@pytest.mark.parametrize("name", [*FILES, "m"])
def test_p08_a_broken_link_in_its_place(name: str, tmp_path: Path) -> None:
    (tmp_path / name).symlink_to(f"nowhere/{name}")
    only(name, "P08")
    (tmp_path / f"loop-{name}").symlink_to(f"loop-{name}")
    only(f"loop-{name}", "P08")


def test_p08_a_link_to_what_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "m.keras").symlink_to("new.keras")
    (tmp_path / "m").symlink_to("new")
    assert savelint.preflight("m.keras").ok
    only("m", "P08")


def test_p08_dots_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "a" / "real").mkdir(parents=True)
    (tmp_path / "runs").symlink_to("a/real")
    only("runs/../m", "P08")
    assert savelint.preflight("runs/../m.keras").ok
    assert savelint.preflight("missing/../m").ok


@pytest.mark.parametrize("name", FILES)
def test_p09_a_directory_in_place_of_a_file(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    assert "Is a directory" in only(name, "P09")


def test_p09_a_file_in_place_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "m").touch()
    assert "m is not a directory" in only("m", "P09")
    (tmp_path / "s" / "saved_model.pb").mkdir(parents=True)
    only("s", "P09")
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "variables").touch()
    only("v", "P09")
    (tmp_path / "c.ckpt.index").mkdir()
    only("c.ckpt", "P09")


def test_p09_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.keras")
    assert savelint.preflight("m.keras").verdict is Verdict.UNKNOWN


# ---------------------------------------------------------------------- P10 to P12


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
@pytest.mark.parametrize("name", [*FILES, *TREES])
def test_p10_what_the_system_refuses(
    name: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = OSError(number, os.strerror(number))
    monkeypatch.setattr(probe, "write_new", lambda _: refusal)
    assert os.strerror(number) in only(name, "P10")


def test_p10_what_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "write_new", lambda _: OSError(errno.EIO, "Input/output error"))
    assert savelint.preflight("m.keras").verdict is Verdict.UNKNOWN


@pytest.fixture
def _plain_user(tmp_path: Path) -> Iterator[None]:
    """A user whom modes bind; the directory is theirs."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(tmp_path, 65534, 65534)
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.mark.usefixtures("_plain_user")
def test_p10_p12_modes() -> None:
    # Relative paths: other directories on the way may be private.
    Path("m.keras").touch(mode=0o444)
    only("m.keras", "P12")
    Path("runs").mkdir(mode=0o555)
    Path("hidden").mkdir(mode=0)
    for name in (*FILES, *TREES):
        only(f"runs/{name}", "P10")
        only(f"hidden/runs/{name}", "P10")


@pytest.mark.parametrize("how", [fcntl.LOCK_SH, fcntl.LOCK_EX])
@pytest.mark.parametrize("name", ["m.h5", "m.weights.h5"])
def test_p11_an_open_hdf5_file(
    name: str, how: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x89HDF\r\n\x1a\n")
    with path.open("rb") as file:
        fcntl.flock(file, how)
        assert "unable to lock file" in only(name, "P11")
        monkeypatch.setenv("HDF5_USE_FILE_LOCKING", "FALSE")
        assert savelint.preflight(name).verdict is Verdict.UNKNOWN
        path.rename(tmp_path / "m.keras")
        assert savelint.preflight("m.keras").ok
    assert path.parent.joinpath("m.keras").read_bytes() == b"\x89HDF\r\n\x1a\n"


def test_p12_a_file_that_may_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.keras").touch()
    refusal = PermissionError(errno.EPERM, "Operation not permitted")
    monkeypatch.setattr(probe, "open_existing", lambda *_, **__: refusal)
    assert "PermissionError: [Errno 1]" in only("m.keras", "P12")


def test_p12_earlier_weights_that_may_not_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = PermissionError(errno.EPERM, "Operation not permitted")
    monkeypatch.setattr(probe, "fixed", lambda _: refusal)
    data = ".data-00000-of-00001"
    (tmp_path / f"m.ckpt{data}").touch()
    only("m.ckpt", "P12")
    (tmp_path / f"m.ckpt{data}").rename(tmp_path / f"m.ckpt-1{data}")
    assert savelint.preflight("m.ckpt").verdict is Verdict.UNKNOWN


@pytest.mark.usefixtures("_plain_user")
def test_p12_the_index_is_overwritten_all_else_is_replaced() -> None:
    variables = Path("m", "variables")
    variables.mkdir(parents=True)
    names = ("variables.data-00000-of-00001", "variables.index", "../saved_model.pb")
    for name in names:
        variables.joinpath(name).touch(mode=0o444)
    assert "m/variables/variables.index; Permission denied" in only("m", "P12")
    variables.joinpath("variables.index").chmod(0o644)
    assert savelint.preflight("m").ok


# ---------------------------------------------------------------------- P13 to P17


def disk(*, free: int = 1 << 30, inodes: int = 1000, counted: int = 1000) -> SimpleNamespace:
    """A file system as `os.statvfs` tells of it."""
    blocks = free // 4096
    return SimpleNamespace(
        f_frsize=4096,
        f_blocks=1 << 30,
        f_bfree=blocks,
        f_bavail=blocks,
        f_files=counted,
        f_ffree=inodes,
        f_favail=inodes,
    )


@pytest.mark.parametrize("name", [*FILES, *TREES])
def test_p13_no_room(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: disk(free=1 << 20))
    assert "No space left on device" in only(name, "P13", need="2MiB")
    assert savelint.preflight(name, need=500_000).ok
    assert savelint.preflight(name).ok


def test_p13_the_old_file_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: disk(free=1 << 20))
    (tmp_path / "m.keras").write_bytes(KERAS_ZIP + os.urandom(1 << 20))
    assert savelint.preflight("m.keras", need="2MiB").ok


def test_p13_export_needs_twice_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: disk(free=3 << 20))
    result = savelint.preflight("m", need="2MiB")
    assert (result.verdict, codes(result)) == (Verdict.UNKNOWN, ["P13"])
    assert savelint.preflight("m", need="2MiB", keras_version=2).ok


def test_p13_where_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    none = disk(free=0)
    none.f_blocks = 0
    monkeypatch.setattr(os, "statvfs", lambda _: none)
    assert savelint.preflight("m.keras", need="2MiB").ok


def test_p14_no_inodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: disk(inodes=0))
    for name in (*FILES, *TREES):
        assert "No space left on device" in only(name, "P14")
    (tmp_path / "m.keras").touch()
    assert savelint.preflight("m.keras").ok
    monkeypatch.setattr(os, "statvfs", lambda _: disk(inodes=7))
    assert savelint.preflight("m").ok
    assert savelint.preflight("m", keras_version=2).verdict is Verdict.UNKNOWN
    monkeypatch.setattr(os, "statvfs", lambda _: disk(inodes=0, counted=0))
    assert savelint.preflight("m").ok


@pytest.fixture
def _size_limit() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("_size_limit")
@pytest.mark.parametrize("name", [*FILES, *TREES])
def test_p15_a_limit_on_the_size(name: str) -> None:
    assert "File too large" in only(name, "P15", need="2MiB")
    assert savelint.preflight(name, need=500_000).ok


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("m.keras", "model.save(tmp)"),
        ("m.h5", "model.save(tmp)"),
        ("m.weights.h5", "model.save_weights(tmp)"),
    ],
)
def test_p17_a_model_to_overwrite(name: str, save: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(KERAS_ZIP)
    result = savelint.preflight(name)
    assert result.ok
    (advice,) = result.advice
    assert (advice.code, advice.name) == ("P17", "overwritten-in-place")
    # The advice is code, and does what it says.
    _, _, code = advice.help.partition("\n")
    assert save in code
    saved: list[str] = []

    def write(path: str) -> None:
        saved.append(Path(path).name)
        Path(path).write_bytes(b"new")

    model = SimpleNamespace(save=write, save_weights=write)
    exec(code, {"os": os, "path": name, "model": model})
    suffix = name[1:]
    assert saved == [f"m.tmp{os.getpid()}{suffix}"]
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [(name, b"new")]


def test_p17_what_is_not_a_model(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_text("notes")
    assert savelint.preflight("m.keras").advice == ()


# ---------------------------------------------------------------------- leaving nothing


def traces(directory: Path) -> list[tuple[str, int, int, int]]:
    return sorted(
        (str(path), path.lstat().st_mtime_ns, path.lstat().st_size, path.lstat().st_ino)
        for path in (directory, *directory.rglob("*"))
    )


@pytest.mark.parametrize("nameless", [True, False])
def test_nothing_is_left_behind(
    nameless: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not nameless:  # as on a system that has no files without a name
        monkeypatch.delattr(os, "O_TMPFILE")
    for name in FILES:
        (tmp_path / f"old-{name}").write_bytes(KERAS_ZIP)
    (tmp_path / "old" / "variables").mkdir(parents=True)
    before = traces(tmp_path)
    for name in (*FILES, *TREES):
        for path in (name, f"old-{name}", f"no/{name}", "old"):
            savelint.preflight(path)
    assert traces(tmp_path) == before


class InterruptedPreflightError(Exception):
    """What the handler of a signal raises."""


@pytest.fixture
def _handler() -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise InterruptedPreflightError

    before = signal.signal(signal.SIGUSR1, interrupt)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.usefixtures("_handler")
def test_signals_wait_while_a_file_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE")
    unlink = os.unlink
    seen = []

    def interrupted(path: str) -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        seen.append(Path(path).exists())
        unlink(path)

    monkeypatch.setattr(os, "unlink", interrupted)
    with pytest.raises(InterruptedPreflightError):
        savelint.preflight("m.keras")
    assert seen == [True]
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_another_thread_was_given_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No mask of this thread keeps its handler from running here."""
    monkeypatch.delattr(os, "O_TMPFILE")
    unlink = os.unlink
    seen = []

    def interrupted(path: str) -> None:
        seen.append(path)
        if len(seen) == 1:
            raise InterruptedPreflightError
        unlink(path)

    monkeypatch.setattr(os, "unlink", interrupted)
    with pytest.raises(InterruptedPreflightError):
        savelint.preflight("m.keras")
    assert list(tmp_path.iterdir()) == []
