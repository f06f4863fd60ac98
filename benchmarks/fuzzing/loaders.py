"""Every loader: a good file or several, how one is changed, and what reads it."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import shutil
import sys
import tarfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Literal

import numpy as np

import glassnet as gn
from fuzzing.mutate import (
    CSV,
    Mutate,
    changed_bytes,
    changed_json,
    changed_npy,
    changed_png,
    changed_toml,
    repacked,
)
from glassnet import recipes

ROWS = "id,a,b,when,flag,y\n" + "".join(
    f"{i},{i % 7 + 0.5},{'xyz'[i % 3]},2024-01-{i % 28 + 1:02d},{'true' if i % 2 else 'false'},{i * 0.25}\n"
    for i in range(40)
)
TINY = ["network.hidden=[4]", "network.embedding.dim=2", "pack.networks=2", "pack.ends=[1, 2]", "pack.candidates={}"]


@dataclass(frozen=True)
class Loader:
    """What reads one kind of file.

    file: the path of what it is given, below the folder of an input. write: makes that file from a good one, changed.
    load: reads it; what is wrong with it is a ValueError or an OSError of one line. named: whether that names the file.
    """

    file: str
    write: Callable[[Path, Random], None]
    load: Callable[[Path], object]
    named: bool = True


def changing(goods: list[bytes], mutate: Mutate) -> Callable[[Path, Random], None]:
    """Write one of several contents, changed."""

    def write(path: Path, random: Random) -> None:
        path.write_bytes(mutate(random.choice(goods), random))

    return write


def saved(write: Callable[[Any], object]) -> bytes:
    """What is written to a file."""
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def tables(folder: Path) -> tuple[list[bytes], list[bytes]]:
    """Good tables, as CSV and as Parquet."""
    import polars as pl

    quoted = 'a,"b ""c""",y\n' + '1.5,"two\nlines",p\n2.5,"x,y",q\n' * 10
    frame = pl.read_csv(ROWS.encode(), try_parse_dates=True)
    more = frame.with_columns(pl.col("b").cast(pl.Categorical), pl.col("a").cast(pl.Decimal(10, 2)), n=None)
    kinds: tuple[Literal["uncompressed", "zstd", "snappy", "lz4"], ...] = ("uncompressed", "zstd", "snappy", "lz4")
    parquet = [saved(partial(each.write_parquet, compression=kind)) for kind in kinds for each in (frame, more)]
    return [ROWS.encode(), quoted.encode(), ROWS.replace("\n", "\r\n").encode()], parquet


def table_run(folder: Path) -> Path:
    """A finished run of the table."""
    path = folder / "train.csv"
    path.write_text(ROWS, encoding="utf-8")
    if not (folder / "table-run").exists():
        recipes.train(recipes.choose(str(path), target="y", drop=["id"], changes=TINY), folder / "table-run")
    return folder / "table-run"


def digits_run(folder: Path) -> Path:
    """A finished run of the digits."""
    if not (folder / "digits-run").exists():
        recipes.train(
            recipes.load("digits", changes=["training.epochs=1", "network.hidden=[4]"]), folder / "digits-run"
        )
    return folder / "digits-run"


def predicting(run: Path) -> Callable[[Path], object]:
    """Predict a file into another; after an error there is none."""

    def load(path: Path) -> None:
        out = path.with_name("predicted.csv")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "column .* known from training", UserWarning)  # which it is to say
            recipes.predict_file(run, path, out)
        out.unlink()

    return load


def csv(folder: Path) -> Loader:
    """A table to learn from."""
    return Loader("rows.csv", changing(tables(folder)[0], changed_bytes(CSV)), lambda path: gn.load(path, target="y"))


def csv_to_predict(folder: Path) -> Loader:
    """Rows to predict."""
    return Loader("rows.csv", changing([ROWS.encode()], changed_bytes(CSV)), predicting(table_run(folder)))


def parquet(folder: Path) -> Loader:
    """A table to learn from."""
    goods = tables(folder)[1]
    return Loader("rows.parquet", changing(goods, changed_bytes()), lambda path: gn.load(path, target="y"))


def parquet_to_predict(folder: Path) -> Loader:
    """Rows to predict."""
    return Loader("rows.parquet", changing(tables(folder)[1], changed_bytes()), predicting(table_run(folder)))


def npy(folder: Path) -> Loader:
    """An array to predict."""
    from glassnet.data.rows import read_rows

    goods = [saved(lambda file: np.save(file, np.arange(12.0).reshape(3, 4)))]
    return Loader("rows.npy", changing(goods, changed_npy), lambda path: list(read_rows(path, ["a", "b", "c", "d"])))


def png(folder: Path) -> Loader:
    """A picture of a digit."""
    return Loader("digit.png", changing(_pictures("PNG"), changed_png), _read_digit)


def jpeg(folder: Path) -> Loader:
    """A picture of a digit."""
    return Loader("digit.jpg", changing(_pictures("JPEG"), changed_bytes()), _read_digit)


def _pictures(kind: str) -> list[bytes]:
    from PIL import Image

    modes = ["L", "RGB", "P", "RGBA", "LA", "1", "I;16"] if kind == "PNG" else ["L", "RGB", "CMYK"]
    pixels = np.full((30, 40), 255, np.uint8)
    pixels[5:25, 18:22] = 0
    plain = Image.fromarray(pixels)
    images = [plain.convert("I").convert("I;16") if mode == "I;16" else plain.convert(mode) for mode in modes]
    return [saved(partial(image.save, format=kind)) for image in images]


def _read_digit(path: Path) -> object:
    from glassnet.data.image import read_digit

    return read_digit(path, (28, 28), 255)


def mnist(folder: Path) -> Loader:
    """MNIST's labels, packed, and what parses them."""
    from glassnet.data import mnist, resolve

    good = b"\0\0\x08\x01" + (1000).to_bytes(4, "big") + bytes(range(250)) * 4

    def load(path: Path) -> None:
        archive = mnist.ARCHIVES[1]
        with contextlib.suppress(Exception):  # of which `Archive.content` makes one
            mnist.parse_idx(archive.unpack(path.read_bytes()))
        os.environ["GLASSNET_DATA"] = str(path.parents[1])
        resolve.read(archive)

    mutate = repacked(gzip.decompress, gzip.compress, changed_bytes())
    return Loader("mnist/train-labels-idx1-ubyte.gz", changing([gzip.compress(good, mtime=0)], mutate), load)


def california(folder: Path) -> Loader:
    """California Housing, as the archive that is downloaded."""
    from glassnet.data import california, resolve

    def load(path: Path) -> None:
        os.environ["GLASSNET_DATA"] = str(path.parents[1])
        resolve.read(california.ARCHIVE)

    table = b"-122.23,37.88,41,880,129,322,126,8.3252,452600\n" * 30
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        member = tarfile.TarInfo("CaliforniaHousing/cal_housing.data")
        member.size = len(table)
        tar.addfile(member, io.BytesIO(table))
    mutate = repacked(gzip.decompress, gzip.compress, changed_bytes([b"1", b"2", b"x", b"L", b"S", b"g"]))
    return Loader("california/cal_housing.tgz", changing([file.getvalue()], mutate), load)


def recipe(folder: Path) -> Loader:
    """A recipe, and what it says is built of."""
    data = gn.load("digits")

    def load(path: Path) -> None:
        with contextlib.suppress(MemoryError):  # a network is as large as its recipe says
            recipes.load(path).settle(data)

    goods = [recipes.text(name).encode() for name in recipes.names()]
    return Loader("recipe.toml", changing(goods, changed_toml), load, named=False)


def settings(folder: Path) -> Loader:
    """What --set is given."""
    goods = [b"optimizer.lr=0.1", b"network.hidden=[64, 64]", b"schedule.name=Cosine", b"training.epochs=3", b"seed=1"]

    def load(path: Path) -> object:
        return recipes.load("digits", changes=[path.read_bytes().decode("utf-8", "surrogateescape")])

    return Loader("change.txt", changing(goods, changed_bytes([b"=", b".", b"[", b"]", b"{a=1}"])), load, named=False)


def _in_a_run(run: Path, name: str, mutate: Mutate, use: Callable[[Path], object]) -> Loader:
    """A file of a run directory, whose other files are good."""
    good = (run / name).read_bytes()

    def write(path: Path, random: Random) -> None:
        for file in run.iterdir():
            if file.is_file():
                shutil.copyfile(file, path.parent / file.name)
        path.write_bytes(mutate(good, random))

    def load(path: Path) -> None:
        try:
            use(path.parent)
        finally:
            for file in run.iterdir():
                if file.name != name:
                    (path.parent / file.name).unlink(missing_ok=True)

    return Loader(f"run/{name}", write, load)


def _reporting(run: Path) -> Callable[[Path], None]:
    from glassnet.report import compare, write_report

    def use(changed: Path) -> None:
        compare([changed, run])
        out = write_report(changed, changed.parent / "report.html", doctor=False)
        out.unlink()

    return use


def metrics(folder: Path) -> Loader:
    """metrics.json of a run that is compared and reported."""
    run = table_run(folder)
    return _in_a_run(run, "metrics.json", changed_json(), _reporting(run))


def metrics_of_classes(folder: Path) -> Loader:
    """The same of one that tells classes."""
    run = digits_run(folder)
    return _in_a_run(run, "metrics.json", changed_json(), _reporting(run))


def history(folder: Path) -> Loader:
    """history.csv of a run that is compared and reported."""
    run = table_run(folder)
    return _in_a_run(run, "history.csv", changed_bytes(CSV), _reporting(run))


def models(folder: Path) -> Loader:
    """Models, checkpoints and ensembles, changed in bytes, or under a right checksum."""
    sys.path.append(str(Path(__file__).parents[2] / "tests"))
    import mutated_files  # type: ignore[import-not-found]
    from glassnet.nn.storage import write_arrays

    (folder / "good").mkdir(exist_ok=True)
    sources = mutated_files.sources(folder / "good")
    by_bytes = changed_bytes([b'"F32"', b'"BF16"', b'"data_offsets":[0,8]', b'"shape":[99]'])
    kind = ""

    def write(path: Path, random: Random) -> None:
        nonlocal kind
        kind = random.choice(sorted(sources))
        if random.random() < 0.25:
            write_arrays(path, *sources[kind])
            path.write_bytes(by_bytes(path.read_bytes(), random))
        else:
            write_arrays(path, *mutated_files.mutated(sources[kind], random)[0])

    return Loader("model.safetensors", write, lambda path: mutated_files.outcome(kind, path), named=False)


def pack(folder: Path) -> Loader:
    """The networks that the training of a pack goes on from, changed in bytes, or under a right checksum."""
    sys.path.append(str(Path(__file__).parents[2] / "tests"))
    import mutated_files
    from glassnet.nn.storage import read_arrays, write_arrays
    from glassnet.recipes.directory import PACK_FILE
    from glassnet.recipes.identity import info_of
    from glassnet.recipes.packs import fit_recipe
    from glassnet.recipes.run import load_data

    run = table_run(folder)
    good, source = (run / PACK_FILE).read_bytes(), read_arrays(run / PACK_FILE)
    chosen, _ = recipes.open_run(run)
    data = load_data(chosen)

    def write(path: Path, random: Random) -> None:
        if random.random() < 0.25:
            path.write_bytes(changed_bytes()(good, random))
        else:
            write_arrays(path, *mutated_files.mutated(source, random)[0])

    def load(path: Path) -> None:
        fit_recipe(chosen, data, info=info_of(data), checkpoint=path)

    return Loader(PACK_FILE, write, load, named=False)


def weights(folder: Path) -> Loader:
    """Weights of PyTorch."""
    from safetensors.numpy import save

    from glassnet.exchange import load_pytorch

    arrays = {"0.weight": np.ones((3, 2), np.float32), "0.bias": np.ones(3, np.float32)}
    mutate = changed_bytes(
        [b'"F32"', b'"F16"', b'"BF16"', b'"I64"', b'"data_offsets":[0,8]', b'"shape":[99]', b"0.weight"]
    )
    return Loader(
        "theirs.safetensors",
        changing([save(arrays)], mutate),
        lambda path: load_pytorch(gn.Network([gn.Dense(2, 3)]), path),
    )


def study(folder: Path) -> Loader:
    """The journal of a search, and what is read of it."""
    from glassnet.tuning import study as room
    from glassnet.tuning import tune
    from glassnet.tuning.space import chosen_values, space_of
    from glassnet.tuning.workers import begun

    chosen = recipes.load("digits", changes=["training.epochs=1", "network.hidden=[4]", "tune.trials=3"])
    data, space = gn.load("digits"), space_of(chosen)
    searched = folder / "searched"
    if not searched.exists():
        tune(chosen, searched)
    good = (searched / room.JOURNAL).read_bytes()
    by_tree, by_bytes = changed_json(), changed_bytes()

    def write(path: Path, random: Random) -> None:
        lines = good.splitlines(keepends=True)
        if random.random() < 0.6:
            i = random.randrange(len(lines))
            lines[i] = by_tree(lines[i], random) + b"\n"
            path.write_bytes(b"".join(lines))
        else:
            path.write_bytes(by_bytes(good, random))

    def load(path: Path) -> None:
        found = room.open_study(path.parent, chosen, space, "accuracy", data)
        for trial in room.finished(found, space):
            chosen_values(trial.params, space)
        room.sampler(chosen, found)
        for trial in begun(found):
            room.latest(trial)

    return Loader(f"study/{room.JOURNAL}", write, load)


def requests(folder: Path) -> Loader:
    """What the explorer is asked: the first line names what."""
    from starlette.testclient import TestClient

    from glassnet.explore import open_subject
    from glassnet.explore.server import application
    from glassnet.explore.session import Session

    session = Session(open_subject("diabetes"))
    client = TestClient(application(session, "token", "127.0.0.1", 8000), base_url="http://127.0.0.1:8000")
    x = [float(value) for value in gn.load("diabetes").test.x[0]]
    step: dict[str, Any] = {"x": x, "target": 100.0}
    goods: dict[str, Any] = {
        "forward": {"x": x},
        "equation": {"x": x, "layer": 1, "unit": 0},
        "trace": step,
        "parameter": {**step, "name": "1.W", "unit": 0},
        "check": {**step, "name": "1.W", "index": [0, 0]},
        "train": {"action": "step"},
        "settings": {"lr": 0.1, "momentum": 0.5, "batch_size": 8},
        "scrub": {"epoch": 0},
        "code": {"view": "trace", **step, "part": "test", "row": 0},
    }
    mutate = changed_json([b'"x"', b'"step"', b'"epoch"', b'"reset"', b'"test"'])

    def write(path: Path, random: Random) -> None:
        name = random.choice(list(goods))
        path.write_bytes(f"{name}\n".encode() + mutate(json.dumps(goods[name]).encode(), random))

    def load(path: Path) -> None:
        name, _, body = path.read_bytes().partition(b"\n")
        sent = {"X-Glassnet-Token": "token", "Content-Type": "application/json"}
        answer = client.post(f"/api/{name.decode()}", content=body, headers=sent)
        if answer.status_code != 200:
            if answer.status_code not in (409, 413, 422):
                raise AssertionError(f"HTTP status {answer.status_code}")
            raise ValueError(answer.json()["error"])

    return Loader("request.txt", write, load, named=False)


LOADERS: dict[str, tuple[Callable[[Path], Loader], float]] = {  # and which share of the inputs it gets
    "csv": (csv, 0.12),
    "csv-predict": (csv_to_predict, 0.08),
    "parquet": (parquet, 0.08),
    "parquet-predict": (parquet_to_predict, 0.04),
    "npy": (npy, 0.08),
    "png": (png, 0.08),
    "jpeg": (jpeg, 0.05),
    "mnist": (mnist, 0.05),
    "california": (california, 0.03),
    "recipe": (recipe, 0.1),
    "set": (settings, 0.04),
    "metrics": (metrics, 0.03),
    "metrics-classes": (metrics_of_classes, 0.02),
    "history": (history, 0.02),
    "models": (models, 0.06),
    "pack": (pack, 0.02),
    "weights": (weights, 0.03),
    "study": (study, 0.02),
    "explorer": (requests, 0.05),
}
