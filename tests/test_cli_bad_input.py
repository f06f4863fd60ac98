"""The command line against a careless or hostile user: one clear line, exit status 2, nothing half-written."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet.cli import main
from glassnet.recipes import run as run_module
from glassnet.train import Checkpoint, Training
from small_packs import SET_SMALL_PACK

Refused = Callable[..., str]
QUICK = ("--set", "training.epochs=2")
SMALL = ("--set", "network.hidden=[8]")
RESUME = ("train", "digits", *QUICK, *SMALL, "--resume", "--out", "killed")


def type_in(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    """Run a command in this process and return its exit status."""
    monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        main()
    return done.value.code or 0


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder, the hidden ones too, with the bytes of the files."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Refused:
    """Run a command that must be refused in a folder that it must leave as it is; give the message."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> str:
        before = contents(tmp_path)
        status = type_in(monkeypatch, *arguments)
        printed, message = capsys.readouterr()
        assert status == 2, message
        assert printed == ""
        assert message.startswith("glassnet: ")
        assert message.endswith("\n")
        assert message.count("\n") == 1
        assert "Traceback" not in message
        assert contents(tmp_path) == before
        return message

    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run on pixels, "digits", one on a table, "table", and one that was killed, "killed"."""
    folder = tmp_path_factory.mktemp("runs")
    write_table(folder / "table.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert type_in(patch, "train", "digits", *QUICK, *SMALL, "--out", "digits") == 0
        assert type_in(patch, "train", "table.csv", "--target", "y", *SET_SMALL_PACK, "--out", "table") == 0
        patch.setattr(run_module, "draw", stop)
        assert type_in(patch, "train", "digits", *QUICK, *SMALL, "--out", "killed") == 130
    return folder


@pytest.fixture
def here(runs: Path, tmp_path: Path) -> Path:
    """The test's own copy of the runs."""
    shutil.copytree(runs, tmp_path, dirs_exist_ok=True)
    return tmp_path


def stop(*_: object) -> None:
    raise KeyboardInterrupt


def write_table(path: Path, rows: int = 60, last: str = "") -> Path:
    rng = np.random.default_rng(0)
    lines = [f"{a:.4f},{b:.4f},{2 * a - b:.4f}" for a, b in rng.normal(size=(rows, 2))]
    path.write_text("\n".join(["a,b,y", *lines, *([last] if last else [])]) + "\n")
    return path


# What was typed ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("trian digits", "No such command 'trian'"),
        ("train", "name a recipe"),
        ("train digits --rate 3", "No such option: --rate"),
        (
            "compare my.csv --epochs 3",
            "--epochs; settings are changed by --set KEY=VALUE (did you mean training.epochs?)",
        ),
        (
            "compare my.csv --lr 3",
            "No such option: --lr; settings are changed by --set KEY=VALUE (did you mean optimizer.lr?)",
        ),
        ("tune my.csv --batch-size 3", "(did you mean training.batch_size?)"),
        ("train my.csv --batchsize 3", "(Possible options: --batch-size"),
        ("predict run --epochs 3", "No such option: --epochs"),
        ("train digits --seed abc", "--seed"),
        ("train digits --seed -1", "seed must be a whole number of at least 0, not -1"),
        ("train digits extra", "unexpected extra argument"),
        ("train digit", "no recipe 'digit' (did you mean digits?)"),
        ("train nowhere.toml", "nowhere.toml: No such file or directory"),
        ("train nowhere.csv --target y", "no such file: nowhere.csv"),
        ("train my.csv", "no such file: my.csv"),
        ("train table", "the recipe table is for a file of yours: glassnet train my.csv --target COLUMN"),
        ("train table --set ensemble=2", "a pack is an ensemble already: leave out ensemble, or [pack]"),
        ("doctor table", "the recipe table is for a file of yours"),
        ("gradcheck table", "the recipe table is for a file of yours"),
        ("train digits --target y", "only those take --target and --drop"),
        ("train digits --resume", "--resume needs --out"),
        ("train digits --resume --out nowhere", "nowhere holds no run"),
        ("evaluate nowhere", "nowhere is no run"),
        ("evaluate .", "is no run"),
        ("predict nowhere rows.csv", "nowhere is no run"),
        ("gradcheck nowhere", "no recipe 'nowhere'"),
        ("data fetch mnits", "no data set is called 'mnits'; did you mean 'mnist'?"),
        ("data verify mnits", "no data set is called 'mnits'"),
        ("data remove mnist", "No such command 'remove'"),
    ],
)
def test_a_command_that_makes_no_sense(refused: Refused, command: str, fault: str) -> None:
    assert fault in refused(*command.split())


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("training.epochs=0", "epochs must be a whole number of at least 1, not 0"),
        ("training.epochs=-3", "epochs must be a whole number of at least 1, not -3"),
        ("training.epochs=1.5", "training.epochs must be a whole number, not 1.5"),
        ("training.epochs=many", "training.epochs must be a whole number, not 'many'"),
        ("training.batch_size=0", "batch_size must be a whole number of at least 1, not 0"),
        ("training.batch_size=-32", "batch_size must be a whole number of at least 1, not -32"),
        ("training.patience=0", "patience must be a whole number of at least 1, not 0"),
        ("training.monitor=r2", "monitor='r2' is not one of the validation metrics: loss, accuracy"),
        ("training.replacement=1", "training.replacement must be true or false, not 1"),
        ("network.hidden=[0]", "fan_out must be a whole number of at least 1, not 0"),
        ("network.hidden=[64, -1]", "fan_out must be a whole number of at least 1, not -1"),
        ("network.hidden=64", "network.hidden must be a list of whole numbers, not 64"),
        ('network.hidden=["64"]', "network.hidden must be a list of whole numbers, not ['64']"),
        ("network.hidden=[10000000000000]", "Unable to allocate"),
        ("network.dropout=1", "rate must be a number of at least 0 and below 1, not 1"),
        ("network.dropout=nan", "rate must be a number of at least 0 and below 1, not nan"),
        ("network.dtype=float16", "float32, float64 or bfloat16"),
        ("network.dtype=double32", "double32"),
        ("network.init=normal(x)", "init='normal(x)' is not one of"),
        ("network.activation=relu", "network.activation: there is no 'relu'"),
        ("network.activation.slope=0.1", "network.activation: a table needs a name"),
        ("network.normalization=Standardize", "network.normalization: there is no 'Standardize'"),
        ("network.inputs=ReLU", "network.inputs: there is no 'ReLU'"),
        ("network.hiden=[64]", "there is no network.hiden (did you mean hidden?)"),
        ("network=64", "network is a table, not 64"),
        ("optimizer.lr=0", "lr must be a number above 0, not 0"),
        ("optimizer.lr=-0.1", "lr must be a number above 0, not -0.1"),
        ("optimizer.lr=fast", "optimizer: SGD: lr must be a number, not 'fast'"),
        ("optimizer.rate=1", "SGD takes no 'rate'"),
        ("optimizer=Newton", "optimizer: there is no 'Newton'"),
        ("schedule=Never", "schedule: there is no 'Never'"),
        ("loss=MSE", "MSE is for regression, but the data are for classification"),
        ("name=../elsewhere", "name must be a word or two without slashes"),
        ("name=", "name must be a word or two without slashes"),
        ("seed=-4", "seed must be a whole number of at least 0, not -4"),
        ("seed=true", "seed must be a whole number, not True"),
        ("data.source=digts", "no data set is called 'digts'; did you mean 'digits'?"),
        ("data.target=y", "target='y' doesn't apply to 'digits'"),
        ("data.split=benchmark", "split='benchmark' doesn't apply to 'digits'"),
        ("color=red", "there is no color; a recipe has"),
        ("optimizer.lr", "--set takes key=value, such as optimizer.lr=0.01, not 'optimizer.lr'"),
        ("=1", "--set takes key=value"),
        ("seed.x=1", "seed"),
    ],
)
def test_a_setting_that_makes_no_sense(refused: Refused, change: str, fault: str) -> None:
    epochs = () if change.startswith("training.epochs") else QUICK
    assert fault in refused("train", "digits", *epochs, "--set", change, "--out", "new/run")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"", "name is missing"),
        (b'name = "x"', "data is missing"),
        (b'name = "x"\n[data]', "data.source is missing"),
        (b'name = "x"\ndata = "digits"', "data is a table, not 'digits'"),
        (b'name = "x"\nlayers = 3\n[data]\nsource = "digits"', "there is no layers"),
        (b'name = "x"\nseed = "1"\n[data]\nsource = "digits"', "seed must be a whole number, not '1'"),
        (b'name = "x"\n[data]\nsource = 3', "data.source must be text, not 3"),
        (b"name = ", "mine.toml is not valid TOML"),
        (b"\xff\xfe", "mine.toml is not valid TOML"),
        (b'name = "x"\n[data]\nsource = "mine.csv"\ntarget = "y"', "no such file: mine.csv"),
    ],
)
def test_a_recipe_file_that_makes_no_sense(refused: Refused, tmp_path: Path, text: bytes, fault: str) -> None:
    (tmp_path / "mine.toml").write_bytes(text)
    assert fault in refused("train", "mine.toml")


def test_a_training_that_diverges(refused: Refused) -> None:
    for recipe in ("digits", "diabetes"):
        message = refused("train", recipe, "--set", "optimizer.lr=1e6", "--set", "training.epochs=20")
        assert "the loss became" in message
        assert "in step" in message
        assert "try a lower learning rate (lr is 1e+06)" in message


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert type_in(monkeypatch, "train", "nowhere", "--debug") == 2
    message = capsys.readouterr().err
    assert message.startswith("Traceback")
    assert "ValueError: there is no recipe 'nowhere'" in message


def test_an_error_of_the_program_itself_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError("a mistake in glassnet")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_module, "fit", broken)
    monkeypatch.setattr(sys, "argv", ["glassnet", "train", "digits"])
    with pytest.raises(TypeError, match="a mistake in glassnet"):
        main()
    assert contents(tmp_path) == {}


# What was read -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "fault"),
    [
        ("1,inf,2", "column 'b', row 61: inf is not a finite number"),
        ("1,2,-inf", "column 'y', row 61: -inf is not a finite number"),
        ("1,two,2", "column 'b', row 61: 'two' is not a number"),
        ("1,2,two", "column 'y', row 61: 'two' is not a number"),
        ("1,2,3,4", "row 61 has 4 values, the header 3 names"),
    ],
)
def test_a_row_that_can_not_be_learned_from(refused: Refused, tmp_path: Path, last: str, fault: str) -> None:
    write_table(tmp_path / "t.csv", last=last)
    assert fault in refused("train", "t.csv", "--target", "y")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "t.csv is empty"),
        (b"a,b,y\n", "t.csv has a header but no rows"),
        (b"a,b,y\n1,2,3\n", "at least 10 are needed"),
        (b"a,a,y\n" + b"1,2,3\n" * 20, "2 columns named 'a'"),
        (b"y\n" + b"1\n" * 20, "no column to learn from besides the target"),
        (b"a,b,y\n" + b"1,2,yes\n" * 20, "there is one class only (yes)"),
        (bytes(range(256)), "isn't text"),
    ],
)
def test_a_file_that_is_no_table_to_learn_from(refused: Refused, tmp_path: Path, content: bytes, fault: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    assert fault in refused("train", "t.csv", "--target", "y")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("", "name the target column of t.csv: one of 'a', 'b', 'y'"),
        ("--target z", "no column 'z'; it has 'a', 'b', 'y'"),
        ("--target y --drop a --drop y", "'y' is the target, so it can't be dropped"),
        ("--target y --set data.task=classification", "which can't be a class"),
        ("--target y --set data.task=clustering", "data.task must be classification or regression, not 'clustering'"),
        ("--target y --set loss=CrossEntropy", "CrossEntropy is for classification, but the data are for regression"),
        ("--target y --set data.split=benchmark", "the split of a table is one of"),
    ],
)
def test_a_table_and_a_task_that_do_not_fit(refused: Refused, tmp_path: Path, options: str, fault: str) -> None:
    write_table(tmp_path / "t.csv")
    assert fault in refused("train", "t.csv", *options.split())


def test_a_table_of_numbers_beyond_what_floats_hold(refused: Refused, tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", last="1,2,1e300")
    assert "the loss became" in refused("train", "t.csv", "--target", "y")


def test_arrays_that_do_not_fit_the_network() -> None:
    data, net = gn.load("diabetes"), gn.Network([gn.Dense(9, 4), gn.ReLU(), gn.Dense(4, 1)])
    before = net.theta.copy()
    with pytest.raises(ValueError, match=r"Dense\(9, 4\) takes an array of shape \(N, 9\), not .* \(\d+, 10\)"):
        gn.fit(net, data, gn.MSE(), gn.SGD(lr=0.1))
    with pytest.raises(ValueError, match=r"Dense\(9, 4\) takes an array of shape \(N, 9\), not .* \(9,\)"):
        net.predict(np.zeros(9))
    data = gn.Dataset.from_arrays(np.zeros((30, 9)), np.arange(30) % 3)
    with pytest.raises(ValueError, match="labels run from 0 to 2, but 1 output"):
        gn.fit(net, data, gn.CrossEntropy(), gn.SGD(lr=0.1))
    assert (net.theta == before).all()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"b,c\n1,2\n", "no column 'a'; it has 'b', 'c'"),
        (b"a,b\n1,2\ninf,2\n", "column 'a', row 2: inf is not a finite number"),
        (b"a,b\n1,one\n", "column 'b', row 1: 'one' is not a number"),
        (b"a,b\n", "has a header but no rows"),
        (b"", "is empty"),
    ],
)
def test_rows_that_can_not_be_predicted(refused: Refused, here: Path, content: bytes, fault: str) -> None:
    (here / "new.csv").write_bytes(content)
    assert fault in refused("predict", "table", "new.csv", "--out", "answers.csv")


def test_inputs_that_can_not_be_predicted(refused: Refused, here: Path) -> None:
    from PIL import Image

    (here / "fake.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    Image.new("L", (8, 8), 255).save(here / "blank.png")
    assert "fake.png can't be read as an image" in refused("predict", "digits", "fake.png")
    assert "blank.png is blank" in refused("predict", "digits", "blank.png")
    assert "no such file: none.png" in refused("predict", "digits", "none.png")
    assert "killed is a folder without PNG or JPEG pictures" in refused("predict", "digits", "killed")
    assert "trained on a table" in refused("predict", "table", "blank.png")
    assert "no columns 'pixel_0_0'" in refused("predict", "digits", "table.csv")
    assert "No such file or directory" in refused("predict", "table", "table.csv", "--out", "nowhere/answers.csv")
    assert "not finished: go on with --resume" in refused("predict", "killed", "blank.png")
    assert "a .csv or a .parquet file" in refused("predict", "table", "table.csv", "--out", "answers.txt")
    assert "is the file that is read" in refused("predict", "table", "table.csv", "--out", "digits/../table.csv")
    np.save(here / "pickled.npy", np.array([[1, "two"]], dtype=object))
    assert "pickled.npy can't be read as an array of numbers" in refused("predict", "table", "pickled.npy")


def test_the_data_of_a_run_have_changed(refused: Refused, here: Path) -> None:
    whole = (here / "table.csv").read_text()
    recipe = here / "table" / "recipe.toml"
    lines = recipe.read_text().splitlines()
    recipe.write_text("\n".join('source = "table.csv"' if line.startswith("source") else line for line in lines))
    (here / "table.csv").write_text(whole.replace("a,b,y", "b,a,y"))
    assert "table.csv is not what table was trained on: its features changed" in refused("evaluate", "table")
    (here / "table.csv").write_text(whole.replace("a,b,y", "a,b,z"))
    assert "no column 'y'" in refused("evaluate", "table")
    (here / "table.csv").unlink()
    assert "no such file: table.csv" in refused("evaluate", "table")


# Damaged files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 5, 100, 2000, -1])
def test_truncated_files(refused: Refused, here: Path, size: int) -> None:
    for command, file in (
        (("evaluate", "digits"), here / "digits" / "model.safetensors"),
        (("predict", "table", "table.csv"), here / "table" / "model.safetensors"),
        (RESUME, here / "killed" / "checkpoint.safetensors"),
    ):
        file.write_bytes(file.read_bytes()[:size])
        assert f"{file.name} is not a file that glassnet wrote, or it is damaged" in refused(*command)


@pytest.mark.parametrize("place", [3, 60])  # in the length of the header, and in the header
def test_a_flipped_bit(refused: Refused, here: Path, place: int) -> None:
    for command, file in (
        (("evaluate", "digits"), here / "digits" / "model.safetensors"),
        (RESUME, here / "killed" / "checkpoint.safetensors"),
    ):
        content = bytearray(file.read_bytes())
        content[place] ^= 1
        file.write_bytes(content)
        assert file.name in refused(*command)


@pytest.mark.parametrize("damage", ["name", "number"])
def test_a_flipped_bit_deeper_inside(refused: Refused, here: Path, damage: str) -> None:
    for command, file in (
        (("evaluate", "digits"), here / "digits" / "model.safetensors"),
        (RESUME, here / "killed" / "checkpoint.safetensors"),
    ):
        content = bytearray(file.read_bytes())
        name = content.index(b'.W":{"dtype"')
        content[name - 1 if damage == "name" else -200] ^= 2
        file.write_bytes(content)
        assert file.name in refused(*command)


def test_a_network_of_something_else(refused: Refused, here: Path) -> None:
    model = here / "digits" / "model.safetensors"
    gn.Network([gn.Dense(64, 10)]).save(model)
    assert "model.safetensors is not the network of a run" in refused("evaluate", "digits")
    assert "model.safetensors is not the network of a run" in refused("predict", "digits", "table.csv")
    shutil.copy(here / "table" / "model.safetensors", model)
    assert "is not what digits was trained on" in refused("evaluate", "digits")
    model.unlink()
    assert "model.safetensors: No such file or directory" in refused("evaluate", "digits")


def test_a_checkpoint_of_another_training(refused: Refused, here: Path) -> None:
    resume = ("train", "digits", *QUICK, "--resume", "--out", "killed")
    message = refused(*resume, "--set", "network.hidden=[9]")
    assert "Dense(64, 8)" in message
    assert "Dense(64, 9)" in message
    assert "epochs was 2, now it is 3" in refused(*resume, *SMALL, "--set", "training.epochs=3")
    assert "written by another training" in refused(*resume, *SMALL, "--seed", "1")
    shutil.copy(here / "digits" / "model.safetensors", here / "killed" / "checkpoint.safetensors")
    assert "it is not a checkpoint" in refused(*resume, *SMALL)


# Where it would be written -------------------------------------------------------------------------------------------


def test_an_out_that_is_taken(refused: Refused, here: Path) -> None:
    (here / "notes").mkdir()
    (here / "notes" / "diary.txt").write_text("dear diary")
    assert "digits already holds a run: choose another --out" in refused("train", "digits", "--out", "digits")
    message = refused("train", "digits", *QUICK, *SMALL, "--out", "killed")
    assert "killed already holds a run: choose another --out, or go on with --resume" in message
    assert "notes is not an empty folder" in refused("train", "digits", "--out", "notes")
    assert "table.csv is not an empty folder" in refused("train", "digits", "--out", "table.csv")


@pytest.mark.parametrize("out", ["file/run", "file/deep/run", "/proc/run", "x" * 300])
def test_an_out_that_can_not_be_made(refused: Refused, tmp_path: Path, out: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    message = refused("train", "digits", *QUICK, "--out", out)
    assert any(fault in message for fault in ("Not a directory", "No such file", "File name too long", "not permitted"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_out_without_permission(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert "locked/run: Permission denied" in refused("train", "digits", "--out", "locked/run")


def test_a_failing_training_leaves_the_folders_that_were_there(refused: Refused, tmp_path: Path) -> None:
    diverge = ("train", "digits", "--set", "optimizer.lr=1e6", "--out")
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("mine")
    for out in ("mine", "link", "deep/er/run", "mine/run"):
        assert "the loss became" in refused(*diverge, out)
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o700
    os.chdir("mine")
    assert "the loss became" in refused(*diverge, ".")


# A disk that fills up: the kernel refuses files above a limit --------------------------------------------------------


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("size", [0, 1000])
def test_a_disk_that_is_full_from_the_start(refused: Refused, here: Path, size: int) -> None:
    with file_limit(size):
        assert "File too large" in refused("train", "digits", *QUICK, "--out", "new/run")
    for ending in ("csv", "parquet"):
        with file_limit(0):
            assert "File too large" in refused("predict", "table", "table.csv", "--out", f"answers.{ending}")


@pytest.mark.parametrize("room", ["checkpoint", "pictures"])
def test_a_disk_that_is_full_late(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], runs: Path, tmp_path: Path, room: str
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ("train", "digits", *QUICK, *SMALL, "--out", "run")
    checkpoint, draw = Checkpoint.on_epoch, run_module.draw

    def second_checkpoint(self: Checkpoint, run: Training) -> None:
        with file_limit(1000 if len(run.history) > 1 else resource.RLIM_INFINITY):
            checkpoint(self, run)

    def pictures(*arguments: object) -> None:
        with file_limit(1000):
            draw(*arguments)

    with monkeypatch.context() as full:
        if room == "checkpoint":
            full.setattr(Checkpoint, "on_epoch", second_checkpoint)
        else:
            full.setattr(run_module, "draw", pictures)
        assert type_in(full, *command) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    file = "run/checkpoint.safetensors" if room == "checkpoint" else "run/plots/curves.png"
    assert last == f"glassnet: {file}: File too large; the training is kept in run: mend this and go on with --resume"
    assert "checkpoint.safetensors" in contents(tmp_path / "run")
    assert "metrics.json" not in contents(tmp_path / "run")

    assert type_in(monkeypatch, *command, "--resume") == 0
    resumed, never_stopped = contents(tmp_path / "run"), contents(runs / "digits")
    assert resumed.keys() == never_stopped.keys()
    assert resumed["model.safetensors"] == never_stopped["model.safetensors"]


# Where it would be printed -------------------------------------------------------------------------------------------


def test_a_reader_that_has_gone() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "glassnet", "recipes"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_standard_output_on_a_full_disk() -> None:
    command = [sys.executable, "-m", "glassnet", "--version"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "glassnet: standard output: No space left on device\n")
