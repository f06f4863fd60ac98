"""The pages about runs: whole without script, network or other files, true to the run, and readable by everyone."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss
from typer.testing import CliRunner

from glassnet import plots, recipes
from glassnet.cli import app, main
from glassnet.data import Dataset
from glassnet.inspection import Finding
from glassnet.recipes import examining, finished, intervals
from glassnet.recipes import run as run_module
from glassnet.report import compare, words, write_comparison, write_report
from glassnet.report.compare import differences
from small_packs import LEARNING_PACK

FINDINGS = [
    Finding(
        "dead-relu",
        "error",
        "layer 3",
        "5 of 9 <units> gave 0",
        "They can't learn.",
        "a lower rate",
        "Lu et al. 2019, https://arxiv.org/abs/1903.06733",
    ),
    Finding("hardest-rows", "note", "rows 3 and 7", "losses 8.1 and 7.9", "Labels may be wrong.", "look", "calibrated"),
]
VOID = {"meta", "br", "link", "img", "input"}


class Page(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.whole = path.read_text(encoding="utf-8")
        self.feed(self.whole)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append((tag, values))
        self.ids += [values["id"]] if "id" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "svg"} & set(self.open):
            self.text.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.text).split())

    def all(self, *names: str) -> list[dict[str, str]]:
        return [values for tag, values in self.tags if tag in names]


def check(page: Page) -> None:
    """What holds of every page: one file, no clash of names, and what a screen reader needs."""
    assert page.open == []
    assert [name for name, count in Counter(page.ids).items() if count > 1] == []
    assert not page.all("script", "link", "iframe", "img", "object", "embed")
    for tag, values in page.tags:
        assert not any(name.startswith("on") for name in values), values
        for name in ("src", "href", "xlink:href"):
            if tag != "a" and name in values:
                assert values[name].startswith(("#", "data:image/png;base64,")), values[name][:80]
                assert not values[name].startswith("#") or values[name][1:] in page.ids
    for reference in re.findall(r"url\(#([^)]*)\)", page.whole):
        assert reference in page.ids
    assert not re.search(r"url\((?!#)|@import", page.whole)
    assert page.all("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(values["role"] == "img" and len(values["aria-label"]) > 20 for values in page.all("svg"))
    assert all(values["scope"] in ("row", "col") for values in page.all("th"))
    assert len(page.all("table")) == len(page.all("caption"))
    assert all(values["aria-labelledby"] in page.ids for values in page.all("section"))


def trained(out: Path, name: str, *changes: str, seed: int = 0) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "draw", lambda *_: None)  # most of the time of a short training
        recipes.train(recipes.load(name, seed=seed, changes=["training.epochs=3", *changes]), out)
    return out


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of short runs: digits, slow, seeded, diabetes."""
    folder = tmp_path_factory.mktemp("runs")
    trained(folder / "digits", "digits")
    trained(folder / "slow", "digits", "optimizer.lr=0.001", "network.hidden=[16]", "schedule=Constant")
    trained(folder / "seeded", "digits", seed=3)
    trained(folder / "diabetes", "diabetes")
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A run on a table of one's own, with names that would be tags or terms of a formula."""
    rows = np.random.default_rng(0).normal(size=(200, 2))
    high = [(a + b + a * b > 0) != (i % 7 == 0) for i, (a, b) in enumerate(rows)]  # some answers are wrong
    names = ["<i>a & b</i>" if each else "$5 to $10" for each in high]
    lines = [f"{a},{b},{name}" for (a, b), name in zip(rows, names, strict=True)]
    (tmp_path / "own.csv").write_text("\n".join(["<b>left,right,answer", *lines]) + "\n")
    changes = [f"data.source={tmp_path / 'own.csv'}", "data.target=answer", "name=own"]
    return trained(tmp_path / "own", "table", *changes)


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A doctor who is quick; gives the runs that were examined."""
    examined: list[Path] = []

    def examine_finished(run: recipes.Finished, data: Dataset) -> list[Finding]:
        assert len(data.train) == run.net.info["rows"][0]
        examined.append(run.path)
        return FINDINGS

    monkeypatch.setattr(examining, "examine_finished", examine_finished)
    return examined


# A run ----------------------------------------------------------------------------------------------------------------


def test_report_of_images(runs: Path, doctor: list[Path]) -> None:
    run = runs / "digits"
    path = write_report(run)
    assert path == run / "report.html"
    assert doctor == [run]
    page = Page(path)
    check(page)
    metrics = json.loads((run / "metrics.json").read_text())
    assert f"{metrics['test']['accuracy']:.1%} of 359 test images right" in page.said
    assert "would get 9.2%" in page.said
    for part in ("train", "val", "test", "baseline"):
        assert f"{metrics[part]['accuracy']:.2%}" in page.said
    labels = " ".join(values["aria-label"] for values in page.all("svg"))
    hits = np.trace(metrics["confusion_matrix"])
    for shown in (
        "3 epochs",
        f"{hits} of 359 test rows right",
        f"{359 - hits} mistakes",
        "512 units of the first layer",
    ):
        assert shown in labels
    assert len(page.all("svg")) == 5  # with the calibration
    assert {"mistakes", "weights"} <= set(re.findall(r'<image [^>]*id="([a-z]+)-image', page.whole))
    assert page.said.endswith(" ".join((run / "recipe.toml").read_text().split()))


def test_the_doctor_is_heard(runs: Path, doctor: list[Path], tmp_path: Path) -> None:
    page = Page(write_report(runs / "diabetes", tmp_path / "page.html"))
    for finding in FINDINGS:
        for words_of_it in (
            finding.severity,
            finding.name,
            finding.where,
            finding.evidence,
            finding.why,
            finding.advice,
        ):
            assert words_of_it in page.said
    assert page.all("a")[1:] == [{"href": "https://arxiv.org/abs/1903.06733", "rel": "noopener"}]
    assert {values["class"] for values in page.all("article")} == {"finding error", "finding note"}

    del doctor[:]
    silent = Page(write_report(runs / "diabetes", tmp_path / "silent.html", doctor=False))
    assert doctor == []
    assert "doctor" not in silent.said
    check(silent)


def test_report_of_values(runs: Path, doctor: list[Path], tmp_path: Path) -> None:
    page = Page(write_report(runs / "diabetes", tmp_path / "page.html"))
    check(page)
    recipe, net = recipes.open_run(runs / "diabetes")
    data = run_module.load_data(recipe)
    test = json.loads((runs / "diabetes" / "metrics.json").read_text())["test"]
    assert f"Off by {test['mae']:.2f} on average (95% interval" in page.said
    assert "for 88 test rows" in page.said
    bounds = intervals.read(runs / "diabetes")(data.test.x, net.predict(data.test.x)[:, 0], 0.9)
    pinball = np.mean([mean_pinball_loss(data.test.y, bounds[:, i], alpha=q) for i, q in enumerate((0.05, 0.95))])
    assert f"pinball loss {pinball:.2f} " in page.said
    assert "e+0" not in page.said
    errors = net.predict(data.test.x)[:, 0] - data.test.y
    worst = int(np.abs(errors).argmax())
    assert (
        f"{worst} {data.test.y[worst]:.2f} {errors[worst] + data.test.y[worst]:.2f} {errors[worst]:+.2f}" in page.said
    )
    assert "bmi" in page.said
    assert len(page.all("svg")) == 9  # curves, predictions, bounds, importance and five columns
    assert "Unstandardize()" in page.said
    straight = np.column_stack([data.train.x, np.ones(len(data.train))])
    weights = np.linalg.lstsq(straight, data.train.y, rcond=None)[0]
    squares = (data.test.x @ weights[:-1] + weights[-1] - data.test.y) ** 2
    found = float(re.findall(r"RMSE [^a-z]*? ([\d,.]+) root of the mean", page.said)[-1].replace(",", ""))
    assert found == pytest.approx(squares.mean() ** 0.5, rel=0.01)  # ridge regression, nearly
    assert f"all float32 {net.theta.size:,}" in page.said


def test_report_of_a_table_of_ones_own(table: Path, doctor: list[Path]) -> None:
    page = Page(write_report(table))
    check(page)
    assert "<b>left" in page.said
    assert "<i>a & b</i>" in page.said
    assert "$5 to $10" in page.said
    assert "glassnet train recipe.toml --out again" in page.said
    assert "as they are written in own.csv. Lines are those of the file" in page.said
    lines = (table.parent / "own.csv").read_text().splitlines()
    found = re.search(
        r"Lines are those of the file\. line true predicted confidence <b>left right (\d+) (.+?) ", page.said
    )
    assert found is not None
    assert lines[int(found[1]) - 1].split(",")[2].startswith(found[2])
    assert "It tells the classes apart" in page.said
    assert "AUC" in page.said


def test_mistakes_are_shown_with_the_columns_that_matter_and_the_id(tmp_path: Path, doctor: list[Path]) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 9))
    lines = [
        f"k{i:03},{','.join(f'{v:.3f}' for v in row)},{'yes' if row[8] + 0.3 * rng.normal() > 0 else 'no'}"
        for i, row in enumerate(x)
    ]
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([f"id,{','.join('abcdefghi')},y", *lines]) + "\n")
    recipe = recipes.choose(str(path), target="y", changes=LEARNING_PACK)
    recipes.train(recipe, tmp_path / "run")
    page = Page(write_report(tmp_path / "run", doctor=False))
    head = re.search(r"The surest of.*?<thead>(.*?)</thead>", page.whole, re.DOTALL)
    assert head is not None
    names = re.findall(r"<th[^>]*>([^<]+)</th>", head[1])
    assert names[:5] == ["line", "true", "predicted", "confidence", "id"]
    assert len(names) == 9
    assert names[-1] == "i"


def test_the_same_run_gives_the_same_bytes(runs: Path, doctor: list[Path], tmp_path: Path) -> None:
    first, second = (write_report(runs / "diabetes", tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second


def test_the_command_trains_the_same_again(runs: Path, doctor: list[Path], tmp_path: Path) -> None:
    assert "glassnet train recipe.toml --out again" in Page(write_report(runs / "diabetes", tmp_path / "a.html")).said
    whole = tmp_path / "whole"
    shutil.copytree(runs / "diabetes", whole)
    recipes.load("diabetes", seed=4).save(whole / "recipe.toml")
    assert "glassnet train diabetes --seed 4 --out again" in Page(write_report(whole)).said


def test_data_that_are_gone_or_changed_leave_the_rest(table: Path, doctor: list[Path]) -> None:
    source = table.parent / "own.csv"
    lines = source.read_text().splitlines(keepends=True)
    source.write_text("".join(lines[:-1]))
    changed = Page(write_report(table))
    check(changed)
    assert "was trained on: its rows changed" in changed.said
    assert "Rows are counted" not in changed.said
    assert "linear model meaning" not in changed.said
    assert "of 40 test rows right" in changed.said
    assert doctor == []
    source.unlink()
    assert "own.csv" in Page(write_report(table)).said


def test_what_is_no_run_gets_no_report(tmp_path: Path, runs: Path) -> None:
    with pytest.raises(ValueError, match="is no run"):
        write_report(tmp_path)
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    (unfinished / "checkpoint.safetensors").touch()
    with pytest.raises(ValueError, match="not finished: go on with --resume"):
        write_report(unfinished)
    damaged = tmp_path / "damaged"
    shutil.copytree(runs / "slow", damaged)
    (damaged / "metrics.json").write_text('{"train":')
    with pytest.raises(ValueError, match="is damaged"):
        write_report(damaged)
    assert not list(tmp_path.rglob("*.html"))


DAMAGES: list[tuple[str, object, str]] = [
    ("digits", {}, "metrics.json lacks task"),
    ("digits", [], "metrics.json is no table"),
    ("digits", None, "metrics.json is no table"),
    ("digits", 5, "metrics.json is no table"),
    ("digits", {"test": {}}, "metrics.json lacks task"),
    ("digits", {"+test": {}}, "test in metrics.json lacks loss"),
    ("digits", {"-": "interrupted"}, "metrics.json lacks interrupted"),
    ("digits", {"+test": {"loss": 0.1}}, "test in metrics.json lacks accuracy"),
    ("digits", {"+test": {"loss": 0.1, "accuracy": "high"}}, "accuracy in test in metrics.json is 'high'"),
    ("digits", {"+seconds": None}, "seconds in metrics.json is None"),
    ("digits", {"+best_epoch": 4}, "history.csv has no epoch 4"),
    ("digits", {"+confusion_matrix": [[1, 2], [3, 4]]}, "confusion_matrix in metrics.json"),
    ("digits", {"+confusion_matrix": [[1, 2], [3]]}, "can't be read"),
    ("digits", {"+classes": {"0": {}}}, "0 in classes in metrics.json lacks precision"),
    ("diabetes", "digits", "metrics.json is of a classification, the network of a regression"),
    ("digits", "diabetes", "metrics.json is of a regression, the network of a classification"),
]


@pytest.mark.parametrize(("name", "metrics", "fault"), DAMAGES)
def test_damaged_metrics_are_called_so(runs: Path, tmp_path: Path, name: str, metrics: object, fault: str) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(runs / name, damaged)
    file = damaged / "metrics.json"
    if isinstance(metrics, str):  # those of another run
        shutil.copy(runs / metrics / "metrics.json", file)
    elif isinstance(metrics, dict) and any(key[0] in "+-" for key in metrics):  # one key changed, or left out
        whole = json.loads(file.read_text()) | {key[1:]: value for key, value in metrics.items() if key[0] == "+"}
        file.write_text(json.dumps({key: value for key, value in whole.items() if key != metrics.get("-")}))
    else:
        file.write_text(json.dumps(metrics))
    for use in (write_report, lambda run: compare([runs / name, run])):
        with pytest.raises(ValueError, match=f"^{re.escape(str(damaged))} is damaged: .*({fault})"):
            use(damaged)
    assert recipes.evaluate_run(damaged)["test"] == recipes.evaluate_run(runs / name)["test"]


def test_a_damaged_history_is_called_so(runs: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(runs / "diabetes", damaged)
    metrics = json.loads((damaged / "metrics.json").read_text())
    (damaged / "metrics.json").write_text(json.dumps(metrics | {"best_epoch": 3}))
    lines = (damaged / "history.csv").read_text().splitlines(keepends=True)
    for text, fault in (
        ("".join(lines[:3]), "history.csv has no epoch 3, whose weights were kept"),
        ("", "history.csv has no epoch 3"),
        ("".join(lines)[:-9].rpartition(",")[0], "can't be read"),
        ("a,b\n1,2\n", "history.csv lacks the column epoch or train_loss"),
    ):
        (damaged / "history.csv").write_text(text)
        with pytest.raises(ValueError, match=fault):
            write_report(damaged)


def test_figures_that_are_not_finite_are_told(runs: Path, tmp_path: Path, doctor: list[Path]) -> None:
    for name, figure in (("digits", "accuracy"), ("diabetes", "mse")):
        run = tmp_path / name
        shutil.copytree(runs / name, run)
        metrics = json.loads((run / "metrics.json").read_text())
        metrics["test"][figure] = None  # as infinity is written
        (run / "metrics.json").write_text(json.dumps(metrics))
        assert "are not finite numbers: the training went wrong" in words.verdict(
            metrics, recipes.open_run(run)[1].info
        )
        figures = {(each.part, each.name): each for each in compare([runs / name, run]).figures}
        assert figures["test", figure].values[1] is None
        assert figures["test", figure].best == (0,)
    page = Page(write_report(run))
    check(page)
    assert f"MAE {metrics['train']['mae']:.2f} {metrics['val']['mae']:.2f}" in page.said


def test_a_run_and_its_data_are_read_once(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    for name in ("open_run", "load_data"):
        function = getattr(finished, name)
        monkeypatch.setattr(finished, name, lambda it, f=function, n=name: read.append(n) or f(it))
    monkeypatch.setattr(examining, "examine", lambda *_, **__: FINDINGS)
    assert "dead-relu" in Page(write_report(runs / "diabetes", tmp_path / "page.html")).said
    assert read == ["open_run", "load_data"]
    del read[:]
    found = compare([runs / "digits", runs / "slow"])
    pages = [
        write_comparison(it, tmp_path / "both.html").read_text() for it in (found, [runs / "digits", runs / "slow"])
    ]
    assert read == ["open_run"] * 4  # twice by compare, twice for the page of two paths
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1e300, "1e+300"),
        (-2.5e9, "-2,500,000,000"),
        (1e12, "1,000,000,000,000"),
        (123456789.0, "123,456,789"),
        (1234.5, "1,234.5"),
        (0.5, "0.5000"),
        (1e-3, "0.001"),
        (2**31, "2,147,483,648"),
        (float("inf"), "-"),
        (None, "-"),
        ("0.1.0", "0.1.0"),
    ],
)
def test_a_figure_has_the_digits_that_say_something(value: object, told: str) -> None:
    assert words.figure(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.9805, "98.0%"), (0.9996, "99.960%"), (0.999999, "99.999%"), (1.0, "100.0%"), (0.0919, "9.2%"), (0.0, "0.0%")],
)
def test_only_what_is_whole_reads_as_whole(value: float, told: str) -> None:
    assert words.share(value) == told


def test_a_network_that_learned_nothing_is_called_so() -> None:
    info = {"rows": [80, 10, 10], "target": "price"}
    classes = {"yes": {"rows": 7}, "no": {"rows": 3}}
    nothing = {"accuracy": 0.7, "loss": 0.6}
    metrics = {"task": "classification", "test": nothing | {"loss": 0.7}, "baseline": nothing, "classes": classes}
    assert "always answering “yes” would get 70.0%. So it has learned nothing" in words.verdict(metrics, info)
    assert "the ROC curve is 0.80" in words.verdict(metrics, info, (0.8, 0.1))
    assert "nothing" in words.verdict(metrics, info, (0.6, 0.1))
    for better in ({"accuracy": 0.8, "loss": 0.9}, {"accuracy": 0.7, "loss": 0.5}):
        metrics["test"] = better
        assert "nothing" not in words.verdict(metrics, info)
    values = {"loss": 2.0, "mae": 3.0, "mse": 10.0, "r2": -0.1}
    metrics = {"task": "regression", "test": values, "baseline": values | {"mse": 9.0}}
    assert "learned nothing" in words.verdict(metrics, info)
    assert "learned nothing" not in words.verdict(metrics | {"test": values | {"loss": 1.0}}, info)
    assert "went wrong" in words.verdict(metrics | {"test": dict.fromkeys(values)}, info)


def test_a_run_that_was_stopped_before_an_epoch_has_no_curves(runs: Path, tmp_path: Path, doctor: list[Path]) -> None:
    stopped = tmp_path / "stopped"
    shutil.copytree(runs / "diabetes", stopped)
    (stopped / "history.csv").write_text("")
    metrics = json.loads((stopped / "metrics.json").read_text())
    (stopped / "metrics.json").write_text(json.dumps(metrics | {"best_epoch": None, "epochs": 0, "interrupted": True}))
    page = Page(write_report(stopped))
    check(page)
    assert "How training went" not in page.said
    assert "0 epochs" in page.said
    assert "stopped early" in page.said
    both = Page(write_comparison([runs / "diabetes", stopped], tmp_path / "both.html"))
    assert len(both.all("svg")) == 1


# Runs side by side ----------------------------------------------------------------------------------------------------


def test_compare_marks_the_best_and_tells_the_settings_apart(runs: Path) -> None:
    found = compare([runs / "digits", runs / "slow", runs / "seeded"])
    assert found.runs == ("digits", "slow", "seeded")
    assert found.same_data
    metrics = [json.loads((runs / name / "metrics.json").read_text()) for name in found.runs]
    figures = {(each.part, each.name): each for each in found.figures}
    accuracy = figures["test", "accuracy"]
    assert accuracy.values == tuple(m["test"]["accuracy"] for m in metrics)
    assert accuracy.best == tuple(i for i, v in enumerate(accuracy.values) if v == max(accuracy.values))
    losses = figures["val", "loss"].values
    assert figures["val", "loss"].best == (losses.index(min(losses)),)
    assert figures["baseline", "accuracy"].best == ()
    assert figures["", "seconds"].best == ()
    assert found.settings == {
        "seed": ("0", "0", "3"),
        "network.hidden": ("[512]", "[16]", "[512]"),
        "optimizer.lr": ("0.05", "0.001", "0.05"),
        "schedule.name": ("OneCycle", "Constant", "OneCycle"),
    }


def test_other_data_are_told_and_nothing_is_best(runs: Path, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(100, 2))
    (tmp_path / "own.csv").write_text("\n".join(["a,b,c", *(f"{a},{b},{a > b}" for a, b in rows)]) + "\n")
    changes = [f"data.source={tmp_path / 'own.csv'}", "data.target=c"]
    other = [trained(tmp_path / str(seed), "table", *changes, seed=seed) for seed in (0, 1)]
    shuffled = compare(other)
    assert shuffled.differs == "test rows"  # the seed splits a table
    assert all(each.best == () for each in shuffled.figures)
    page = Page(write_comparison([other[0], runs / "digits"], tmp_path / "page.html"))
    check(page)
    assert "The data differ" in page.said
    assert "digits: classification of digit" in page.said


def test_losses_of_different_kinds_have_no_best(runs: Path, tmp_path: Path) -> None:
    mae = trained(tmp_path / "mae", "diabetes", "loss=MAE")
    figures = {(each.part, each.name): each.best for each in compare([runs / "diabetes", mae]).figures}
    assert figures["test", "loss"] == ()
    assert len(figures["test", "mae"]) == 1


def test_a_name_and_a_table_of_a_name_are_the_same_setting() -> None:
    plain, whole = (recipes.load("diabetes", changes=[change]) for change in ("loss=MSE", 'loss={name="MSE"}'))
    assert differences([plain, whole]) == {}
    leaky = recipes.load("diabetes", changes=["loss=MSE", "network.activation={name='LeakyReLU', slope=0.2}"])
    assert differences([plain, leaky]) == {
        "network.activation.name": ("Tanh", "LeakyReLU"),
        "network.activation.slope": ("not set", "0.2"),
    }
    clipped = recipes.load("diabetes", seed=1, changes=["optimizer.clip_norm=1.0", "training.epochs=9"])
    told_apart = differences([recipes.load("diabetes"), clipped])
    assert list(told_apart) == ["seed", "optimizer.clip_norm", "training.epochs"]  # tables in order


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["digits"], "at least two"),
        (["digits", "digits"], "named twice"),
        (["digits", "diabetes"], "nothing in common"),
        (["digits", "nowhere"], "is no run"),
    ],
)
def test_what_can_not_be_compared(runs: Path, names: list[str], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        compare([runs / name for name in names])


def test_the_page_of_a_comparison(runs: Path, tmp_path: Path) -> None:
    chosen = [runs / name for name in ("digits", "slow")]
    path = write_comparison(chosen, tmp_path / "page.html")
    page = Page(path)
    check(page)
    assert "network.hidden [512] [16]" in page.said
    found = compare(chosen)
    first, second = found.figures[1].values
    assert f"validation accuracy {first:.2%} {second:.2%} digits" in page.said
    assert path.read_bytes() == write_comparison(chosen, tmp_path / "again.html").read_bytes()


def test_runs_of_one_name_are_called_by_their_paths(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "digits", tmp_path / "digits")
    assert compare([runs / "digits", tmp_path / "digits"]).runs == (str(runs / "digits"), str(tmp_path / "digits"))


def test_overlay_draws_each_run_in_both_panels() -> None:
    short = {"epoch": [1.0], "val_loss": [0.5], "val_accuracy": [0.8]}
    long = {"epoch": [1.0, 2.0, 3.0], "val_loss": [0.9, 0.01, 0.005], "val_accuracy": [0.7, 0.8, 0.9]}
    figure = plots.overlay({"short": short, "long": long})
    for panel in figure.axes:
        assert [line.get_label() for line in panel.get_lines()] == ["short", "long"]
        assert len({(line.get_color(), line.get_linestyle()) for line in panel.get_lines()}) == 2
    assert figure.axes[0].get_yscale() == "log"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["short", "long"]
    only = plots.overlay({"trained": {"epoch": [1.0], "train_loss": [0.5]}})
    assert [panel.get_ylabel() for panel in only.axes] == ["training loss"]
    with pytest.raises(ValueError, match="no history"):
        plots.overlay({})


# On the terminal ------------------------------------------------------------------------------------------------------


def told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        main()
    out, err = capsys.readouterr()
    return int(done.value.code or 0), out, err


def test_on_the_terminal(
    runs: Path, doctor: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    digits, slow, diabetes = runs / "digits", runs / "slow", runs / "diabetes"
    page = tmp_path / "page.html"
    assert told(capsys, monkeypatch, "report", diabetes, "--no-doctor", "--out", page) == (
        0,
        f"written to {page}\n",
        "",
    )
    assert page.is_file()
    assert doctor == []

    status, out, _ = told(capsys, monkeypatch, "compare", digits, slow, "--out", tmp_path / "both.html")
    assert status == 0
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["digits", "slow", "best"]
    assert next(line for line in lines if line[:2] == ["test", "accuracy"])[-1] == "digits"
    assert ["network.hidden", "[512]", "[16]"] in lines
    assert (tmp_path / "both.html").is_file()

    status, out, err = told(capsys, monkeypatch, "compare", digits)
    assert (status, out) == (2, "")
    assert err == "glassnet: a comparison needs at least two run directories: name another\n"
    assert told(capsys, monkeypatch, "report", diabetes, "--no-doctor", "--out", tmp_path / "no" / "page.html")[0] == 2
    for out in ("", tmp_path):
        fault = f"glassnet: {out or '.'} is a folder: name the file to write\n"
        assert told(capsys, monkeypatch, "report", diabetes, "--no-doctor", "--out", out) == (2, "", fault)
        assert told(capsys, monkeypatch, "compare", digits, slow, "--out", out) == (2, "", fault)
    status, out, err = told(capsys, monkeypatch, "compare", digits, slow, "--out", tmp_path / "no" / "page.html")
    assert (status, out, err.count("\n")) == (2, "", 1)


def test_the_doctor_trains_as_long_as_asked(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(examining, "examine", lambda *_, epochs, **__: asked.append(epochs) or [])
    for options in ([], ["--epochs", "2"], ["--epochs", "7"]):  # the recipe has 3
        assert told(capsys, monkeypatch, "doctor", runs / "diabetes", *options) == (
            0,
            "no error and no warning in the data, the start, the course and the result of the training\n",
            "",
        )
    assert asked == [3, 2, 3]


def test_the_doctor_leaves_out_what_is_dropped(
    table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[tuple[str, ...], int]] = []
    monkeypatch.setattr(
        recipes, "examine_recipe", lambda r, *_: seen.append((run_module.load_data(r).features, r.seed)) or []
    )
    words = ["doctor", table.parent / "own.csv", "--target", "answer", "--drop", "right", "--seed", "3"]
    assert told(capsys, monkeypatch, *words)[0] == 0
    assert seen == [(("<b>left",), 3)]
    status, _, err = told(capsys, monkeypatch, "doctor", table, "--drop", "right")
    assert (status, err.count("\n")) == (2, 1)
    assert "is a run: --target, --drop, --seed and --set are for its recipe or its table" in err


# Tables as people have them -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a table with 7% of a class, an id, dates as in Germany, and missing values."""
    folder, rng = tmp_path_factory.mktemp("rare"), np.random.default_rng(0)
    calls, days = rng.poisson(1.2, 1200), rng.integers(0, 900, 1200)
    left = rng.random(1200) < 1 / (1 + np.exp(4.5 - 1.2 * calls))
    lines = ["customer;since;calls;income;left"]
    for i in range(1200):
        day = np.datetime64("2020-01-01") + int(days[i])
        since = ".".join(reversed(str(day).split("-")))
        income = "" if i % 9 == 0 else f"{rng.normal(3000, 500):.0f}"
        lines.append(f"C{i:04d};{since};{calls[i]};{income};{'yes' if left[i] else 'no'}")
    (folder / "customers.csv").write_text("\n".join(lines) + "\n")
    recipe = recipes.choose(str(folder / "customers.csv"), target="left", changes=LEARNING_PACK)
    recipes.train(recipe, folder / "run")
    return folder / "run"


def test_a_rare_class_is_judged_by_its_ranking_and_shown_as_in_the_file(rare: Path, doctor: list[Path]) -> None:
    page = Page(write_report(rare))
    check(page)
    assert "It tells the classes apart: of two rows of different classes it ranks" in page.said
    assert "nothing that helps" not in page.said
    assert re.search(r"income number 1\d\.\d%", page.said)  # are missing
    assert "left out, as no value occurs 3 times in the training rows: customer" in page.said
    lines = (rare.parent / "customers.csv").read_text().splitlines()
    line, customer, since = re.search(r"calls income (\d+) yes no [\d.]+% (C\d+) ([\d.]+)", page.said).groups()  # type: ignore[union-attr]
    assert lines[int(line) - 1].startswith(f"{customer};{since};")
    labels = " ".join(values["aria-label"] for values in page.all("svg"))
    for shown in ("What shuffling each column adds", "calls: the mean of p(yes) goes from", "How often yes is true"):
        assert shown in labels
    assert "Precision, recall and F1 of yes" in labels
    assert "Now the likelier class is answered." in page.said


def test_a_threshold_decides_what_is_called_right_and_what_a_mistake(rare: Path, doctor: list[Path]) -> None:
    recipe = recipes.choose(str(rare / "recipe.toml"), changes=["decision.metric=f1"])
    recipes.train(recipe, rare.parent / "decided")
    page = Page(write_report(rare.parent / "decided"))
    metrics = json.loads((rare.parent / "decided" / "metrics.json").read_text())
    assert f"{metrics['figures']['accuracy']['value']:.1%} of 240 test rows right" in page.said
    assert "Now yes is answered if its probability exceeds" in page.said


def test_what_is_done_is_told_and_the_page_is_opened_on_request(
    rare: Path, doctor: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    write_report(rare, tmp_path / "page.html", tell=told.append)
    assert told[0] == "evaluating"
    assert len(told) == 3
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    shown = CliRunner().invoke(app, ["report", str(rare), "--out", str(tmp_path / "page.html"), "--open"])
    assert shown.exit_code == 0, shown.output
    assert opened == [(tmp_path / "page.html").resolve().as_uri()]


def test_other_models_stand_beside_it_on_request(rare: Path, doctor: list[Path], tmp_path: Path) -> None:
    alone = Page(write_report(rare, tmp_path / "alone.html"))
    assert "Beside other models" not in alone.said
    page = Page(write_report(rare, tmp_path / "page.html", others=True))
    check(page)
    for model in ("glassnet", "linear model", "HistGradientBoosting", "baseline"):
        assert model in page.said[page.said.index("Beside other models") :]
    loss = json.loads((rare / "metrics.json").read_text())["figures"]["log_loss"]["value"]
    assert f"glassnet {loss:.4f}" in page.said  # the run itself, which isn't trained again


def test_an_ensemble_of_runs_gets_a_report_as_one(runs: Path, doctor: list[Path], tmp_path: Path) -> None:
    seed = recipes.open_run(runs / "diabetes")[0].seed
    other = trained(tmp_path / "other", "diabetes", f"seed={seed + 1}", f"data.seed={seed}")
    recipes.committee([runs / "diabetes", other], tmp_path / "both")
    page = Page(write_report(tmp_path / "both"))
    check(page)
    metrics = json.loads((tmp_path / "both" / "metrics.json").read_text())
    assert f"Off by {metrics['test']['mae']:.2f} on average" in page.said
    assert "An ensemble of 2 runs with" in page.said
    assert doctor == []
    assert "What it goes by" in page.said
