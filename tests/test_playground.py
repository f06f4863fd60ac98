"""The playground in a real browser: networks are built, trained and taken apart by the library's kernels."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from browser import MISSING, Page
from glassnet import explore
from glassnet.explore import engine
from glassnet.explore.catalog import WITHOUT, catalog
from glassnet.explore.page import static_files
from glassnet.fast.kernels import KERNELS, LOSSES, OPTIMIZERS
from glassnet.inspection.doctor import course
from glassnet.optim import schedules

in_browser = pytest.mark.skipif(bool(MISSING), reason=f"the playground's tests need {', '.join(MISSING)}")


def test_the_kernels_of_the_page_are_made_from_these_sources() -> None:
    assert engine.digest().encode() in engine.FILE.read_bytes(), "the kernels' sources have changed: make wasm"


def test_the_catalog_has_all_that_has_kernels_or_says_why_not() -> None:
    found = catalog()
    for kind, known in (("layers", KERNELS), ("losses", LOSSES), ("optimizers", OPTIMIZERS)):
        assert set(found[kind]) == {cls.__name__ for cls in known if cls not in WITHOUT}
    assert set(found["schedules"]) == {cls.__name__ for cls in schedules.Schedule.__subclasses__()}


def test_the_catalog_knows_between_which_numbers_an_argument_may_be() -> None:
    arguments = {a["name"]: a for a in catalog()["optimizers"]["SGD"]["arguments"]}
    assert (arguments["lr"]["above"], arguments["lr"]["required"]) == (0, True)
    assert (arguments["momentum"]["low"], arguments["momentum"]["below"]) == (0, 1)
    assert arguments["clip_norm"]["optional"]
    assert arguments["nesterov"]["kind"] == "flag"
    dense = catalog()["layers"]["Dense"]
    assert (dense["width_in"], dense["width_out"]) == ("fan_in", "fan_out")
    assert dense["parameters"]["W"] == {"shape": ["width_in", "width_out"], "decayed": True, "first": None}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("page") / "page.html"
    explore.write_playground(out)
    return out.as_uri()


def made(kind: str, name: str, **given: Any) -> dict[str, Any]:
    arguments = catalog()[kind][name]["arguments"]
    return {"type": name} | {a["name"]: a["default"] for a in arguments} | given


def dense(units: int, **given: Any) -> dict[str, Any]:
    return made("layers", "Dense", fan_out=units, **given)


def spec(**given: Any) -> dict[str, Any]:
    return {
        "data": {"kind": "moons", "n": 120, "noise": 0.1, "share": 0.3, "seed": 1},
        "layers": [dense(8), made("layers", "ReLU"), dense(8), made("layers", "ReLU"), dense(2)],
        "loss": made("losses", "CrossEntropy"),
        "optimizer": made("optimizers", "Adam", lr=0.01),
        "schedule": made("schedules", "Constant"),
        "epochs": 6,
        "batch_size": 10,
        "seed": 0,
    } | given


def link(given: dict[str, Any], log: list[Any]) -> str:
    text = json.dumps({"spec": given, "log": log}).encode()
    return "#" + base64.urlsafe_b64encode(text).decode().rstrip("=")


RUN = "glassnetPlayground.run.training"


def epoch(page: Page) -> int:
    return page.js(f"return {RUN}.epoch")


def show(page: Page, url: str, **given: Any) -> None:
    page.driver.get("about:blank")  # another fragment alone would open nothing
    page.open(url, **given)


@in_browser
def test_moons_are_learned_to_97_percent_in_the_page(page: Page, file: str) -> None:
    show(page, file)
    assert page.js(f"return {RUN}.net.layers.filter((l) => l.type === 'Dense').map((l) => l.n_out)") == [8, 8, 2]
    page.click("#start")
    page.until(lambda: page.js(f"return {RUN}.history.at(-1).val_accuracy") >= 0.97, "97% of the test points are right")
    page.click("#start")
    assert page.text("start") == "Start"
    assert page.js("return glassnetFrames.length") > 0


TABLE = [(i % 7, i / 3, 100 * i) for i in range(40)]
SPECS = {
    "plain": spec(),
    "dropout, batch norm, a schedule, L2": spec(
        layers=[
            dense(9, init="glorot", max_norm=1.0), made("layers", "Tanh"), made("layers", "Dropout", rate=0.2),
            dense(7), made("layers", "BatchNorm"), made("layers", "GELU"), dense(2),
        ],
        optimizer=made("optimizers", "SGD", lr=0.1, momentum=0.9, nesterov=True, l2=0.01, clip_norm=1.0),
        schedule=made("schedules", "OneCycle"), seed=3, batch_size=16,
    ),
    "a single logit": spec(
        layers=[dense(6), made("layers", "LeakyReLU", slope=0.2), made("layers", "LayerNorm"), dense(1)],
        loss=made("losses", "BinaryCrossEntropy"), optimizer=made("optimizers", "AdamW", lr=0.02),
    ),
    "three classes, smoothed": spec(
        data={"kind": "blobs", "n": 90, "noise": 0.2, "share": 0.2, "seed": 5},
        loss=made("losses", "CrossEntropy", label_smoothing=0.1),
        layers=[dense(5), made("layers", "Sigmoid"), dense(3)],
    ),
    "a curve": spec(
        data={"kind": "sine", "n": 80, "noise": 0.1, "share": 0.3, "seed": 2},
        loss=made("losses", "Huber", delta=0.5), layers=[dense(12, init="lecun"), made("layers", "SiLU"), dense(1)],
    ),
    "a table of values": spec(
        data={
            "kind": "table", "share": 0.3, "seed": 1, "target": 2,
            "table": {
                "names": ["a", "b", "price"],
                "columns": [[str(value) for value in column] for column in zip(*TABLE, strict=True)],
            },
        },
        loss=made("losses", "MSE"), layers=[dense(6), made("layers", "ReLU"), dense(1)],
    ),
}  # fmt: skip


def executed(code: str) -> list[dict[str, float]]:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        exec(code, {})
    text = shown.getvalue().strip()
    return [json.loads(part.replace("'", '"')) for part in text.replace("} {", "}\n{").splitlines()]


@in_browser
@pytest.mark.parametrize("name", SPECS)
def test_this_view_as_code_trains_exactly_this(page: Page, file: str, name: str) -> None:
    given = SPECS[name]
    rows = page.js  # the number of steps in six epochs depends on the data
    show(page, file + link(given, []))
    for _ in range(6):
        page.click("#one-epoch")
    page.click("#code-section summary")
    page.until(lambda: "gn.fit" in page.text("code"), "the code is written")
    train, val = executed(page.text("code"))
    seen = rows(f"return {RUN}.history.at(-1)")
    scale = rows("return glassnetPlayground.run.data.unit?.scale[0] ?? 1")
    assert seen["epoch"] == 6
    if "accuracy" in train:
        assert (train["accuracy"], val["accuracy"]) == pytest.approx((seen["accuracy"], seen["val_accuracy"]))
        assert (train["loss"], val["loss"]) == pytest.approx((seen["loss"], seen["val_loss"]), rel=1e-3)
    elif given["loss"]["type"] == "MSE":
        assert (train["mse"] / scale**2, val["mse"] / scale**2) == pytest.approx(
            (seen["loss"], seen["val_loss"]), rel=1e-3
        )
    else:
        assert (train["loss"], val["loss"]) == pytest.approx((seen["loss"], seen["val_loss"]), rel=1e-3)


@in_browser
def test_the_schedules_are_those_of_the_library(page: Page, file: str) -> None:
    show(page, file)
    for cls in schedules.Schedule.__subclasses__():
        given = made("schedules", cls.__name__)
        found = page.asking(
            "const { factor } = await import('glassnet/schedules.js');"
            "return Array.from({ length: 40 }, (_, i) => factor(given[0], i, 5, 8))",
            given,
        )
        expected = cls()
        assert found == pytest.approx([expected(i, 5, 8) for i in range(40)])


@in_browser
def test_a_layer_is_added_and_taken_away_while_it_trains(page: Page, file: str) -> None:
    show(page, file)
    page.click("#start")
    page.until(lambda: epoch(page) > 2, "it trains")
    page.click("#add-layer")
    page.until(
        lambda: page.js(f"return {RUN}.net.layers.filter((l) => l.type === 'Dense').length") == 4, "a layer more"
    )
    page.until(lambda: epoch(page) > 2, "it trains on")
    page.click('[aria-label="Layer 1: one unit more"]')
    page.until(lambda: page.js(f"return {RUN}.net.layers[0].n_out") == 9, "a unit more")
    page.click("#remove-layer")
    page.until(lambda: epoch(page) > 2, "it trains on again")
    assert page.js("return document.querySelectorAll('.column').length") == 4
    page.click("#start")


@in_browser
def test_one_step_in_slow_motion_moves_the_weights_in_the_end(page: Page, file: str) -> None:
    show(page, file)
    weights = f"return [...{RUN}.net.weights]"
    before = page.js(weights)
    page.click("#slow-motion")
    said = [page.text("slow-words")]
    for phase in ("loss", "backward", "update"):
        page.click("#slow-next")
        page.until(lambda phase=phase: page.js("return document.getElementById('slow').dataset.phase") == phase, phase)
        said.append(page.text("slow-words"))
    assert [text[:3] for text in said] == ["1 F", "2 L", "3 B", "4 U"]
    assert page.js(weights) == before
    page.click("#slow-next")
    page.until(lambda: page.text("step-number") == "1", "the step was made")
    after = page.js(weights)
    assert after != before
    page.click("#slow-close")
    page.click("#again")
    page.click("#one-step")
    page.until(lambda: page.js(weights) == after, "the same step, at once")


@in_browser
def test_one_goes_back_to_an_epoch_and_on_from_there_in_another_way(page: Page, file: str) -> None:
    show(page, file)
    for _ in range(4):
        page.click("#one-epoch")
    newest = page.js(f"return [...{RUN}.net.weights]")
    scrub = "const s = document.getElementById('scrub'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))"
    page.js(scrub, 2)
    page.until(lambda: page.text("epoch") == "2", "epoch 2 is shown")
    page.js(scrub, 5)
    page.until(lambda: page.text("epoch") == "4", "the newest is shown")
    assert page.js(f"return [...{RUN}.net.weights]") == newest
    page.js(scrub, 2)
    page.click("#branch")
    page.until(lambda: epoch(page) > 4, "it goes on")
    page.click("#start")
    assert page.js("return glassnetPlayground.ghost.map((row) => row.epoch)") == [
        0,
        1,
        2,
        3,
        4,
    ]  # the branch that was left
    assert page.js(f"return {RUN}.log[0][0]") == "train"


@in_browser
def test_a_link_restores_the_training_to_the_last_bit(page: Page, file: str) -> None:
    show(page, file + link(spec(), [["train", 13], ["set", {"lr": 0.003}], ["train", 20]]))
    page.click("#link")
    page.until(lambda: "#" in page.js("return location.href"), "the address holds it")
    address, weights = page.js("return location.href"), page.js(f"return [...{RUN}.net.weights]")
    assert page.js(f"return {RUN}.step") == 33
    show(page, address)
    assert page.js(f"return [...{RUN}.net.weights]") == weights
    page.click("#code-section summary")
    page.until(lambda: "Course" in page.text("code"), "the code is written")
    train, _ = executed(page.text("code"))
    loss = page.js(f"return {RUN}.scores(glassnetPlayground.run.data.train).loss")
    assert train["loss"] == pytest.approx(loss, rel=1e-3)
    show(page, address[:-40])
    page.until(lambda: "cut short" in page.text("problem-words"), "the page says what is wrong")


@in_browser
def test_a_table_that_is_dropped_is_learned_from(page: Page, file: str) -> None:
    show(page, file)
    drop = """
      const given = new DataTransfer();
      given.items.add(new File([arguments[0]], "table.csv"));
      document.dispatchEvent(new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true }));"""
    rows = [f"{i % 9},{(i * 7) % 11},name {i},{'yes' if i % 9 > 4 else 'no'}" for i in range(60)] + ["?,1,x,no"]
    page.js(drop, "\n".join(["length;width", "1;2"]))
    page.until(lambda: "width is always the same" in page.text("problem-words"), "a fault is said")
    page.js(drop, "\n".join(["length,width,note,kind", *rows]))
    page.until(lambda: page.js("return glassnetPlayground.run.data.features") == ["length", "width"], "it is read")
    assert page.js("return glassnetPlayground.run.data.classes") == ["no", "yes"]
    assert "note" in page.text("data-fields")
    assert "1 rows" in page.text("data-fields")
    page.click("#start")
    page.until(lambda: page.js(f"return {RUN}.history.at(-1).accuracy") >= 0.97, "it is learned")
    page.click("#start")


@in_browser
def test_all_goes_by_keyboard_too(page: Page, file: str) -> None:
    from selenium.webdriver.common.keys import Keys

    show(page, file)
    page.js("document.getElementById('add-layer').focus()")
    page.keys(Keys.ENTER)
    page.until(lambda: page.js("return document.querySelectorAll('.column').length") == 5, "a layer more")
    assert page.focused() == "add-layer"
    page.js("""document.querySelector('[aria-label="Layer 1: one unit less"]').focus()""")
    page.keys(Keys.ENTER)
    page.until(lambda: page.js(f"return {RUN}.net.layers[0].n_out") == 7, "a unit less")
    page.keys(Keys.ENTER)
    page.until(lambda: page.js(f"return {RUN}.net.layers[0].n_out") == 6, "the focus stayed there")
    page.js("document.getElementById('start').focus()")
    page.keys(Keys.SPACE)
    page.until(lambda: epoch(page) > 1, "it trains")
    page.keys(Keys.SPACE, Keys.TAB, Keys.TAB, Keys.TAB)
    assert page.focused() == "slow-motion"
    page.keys(Keys.ENTER)
    page.until(lambda: page.focused() == "slow-next", "slow motion begins")
    page.keys(Keys.ENTER)
    page.until(lambda: page.text("slow-words").startswith("2 Loss"), "the next phase")


@in_browser
def test_points_are_drawn_by_pointer_and_by_keyboard(page: Page, file: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    show(page, file)
    choose = "const s = document.querySelector('#data-fields select'); s.value = 'drawn';"
    page.js(choose + "s.dispatchEvent(new Event('change'))")
    page.until(lambda: "too few points" in page.text("problem-words"), "points are asked for")
    plane = page.find("#plane")
    for x, y in ((-60, -60), (-50, 40), (-70, 0), (-40, -20)):
        ActionChains(page.driver).move_to_element_with_offset(plane, x, y).click().perform()
    page.until(lambda: page.js("return glassnetPlayground.run?.spec.data.points.length") == 4, "four points")
    page.click("#brush-0")
    page.js("document.getElementById('plane').focus()")
    page.keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_UP, Keys.SPACE)
    page.until(lambda: page.js("return glassnetPlayground.run.spec.data.points.length") == 5, "a fifth")
    x, y, kind = page.js("return glassnetPlayground.run.spec.data.points[4]")
    assert (x, y, kind) == (pytest.approx(0.2), pytest.approx(0.1), 0)


@in_browser
def test_what_can_not_be_is_said_in_a_line(page: Page, file: str) -> None:
    show(page, file + link(spec(optimizer=made("optimizers", "SGD", lr=1e30)), []))
    page.click("#start")
    page.until(lambda: "lower the learning rate" in page.text("problem-words"), "the loss exploded")
    assert page.text("start") == "Start"
    page.until(lambda: "learning rate high" in page.text("findings"), "the doctor speaks, too")
    page.click("#dismiss")
    value = """
      const labels = [...document.querySelectorAll('#train-fields label')];
      const box = labels.find((label) => label.textContent === 'momentum').control;
      box.value = '1'; box.dispatchEvent(new Event('change')); return box.getAttribute('aria-invalid')"""
    assert page.js(value) == "true"
    assert page.js(f"return {RUN}.spec.optimizer.momentum") == 0


@in_browser
def test_two_runs_learn_side_by_side(page: Page, file: str) -> None:
    show(page, file)
    page.click("#keep")
    page.click("#add-layer")
    page.click("#one-epoch")
    page.click("#one-epoch")
    kept = "return glassnetPlayground.kept.training.step"
    page.until(lambda: page.js(kept) == page.js(f"return {RUN}.step") > 0, "both have made as many steps")
    assert page.find("#kept-plane").is_displayed()
    page.click("#keep")
    page.until(lambda: not page.find("#kept-plane").is_displayed(), "it is gone")


@in_browser
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1440, 900), (390, 844)])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_cut(page: Page, file: str, width: int, height: int, theme: str) -> None:
    show(page, file, width=width, height=height, theme=theme)
    page.click("#one-epoch")
    assert page.js("return document.documentElement.scrollWidth") <= width
    for name in ("data-card", "plane-card", "bar"):
        assert (
            page.js("const e = document.getElementById(arguments[0]); return e.scrollWidth - e.clientWidth", name) <= 0
        )
    cut = """
        return [...document.querySelectorAll("#columns h3")].filter((e) => e.scrollWidth > e.parentElement.clientWidth)
          .concat([...document.querySelectorAll(".field .what")].filter((e) => {
            const control = e.closest(".field").querySelector("input, select");
            const [a, b] = [e.getBoundingClientRect(), control.getBoundingClientRect()];
            return a.right > b.left && a.bottom > b.top && b.bottom > a.top;
          })).map((e) => e.outerHTML)"""
    assert page.js(cut) == []


@in_browser
def test_the_server_shows_it_and_the_explorer_with_a_link_to_each_other(page: Page) -> None:
    server = explore.Server(explore.open_subject("diabetes"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        show(page, server.playground)
        assert "token" not in page.js("return location.href")
        page.click("#one-step")
        page.until(lambda: page.text("step-number") == "1", "it trains")
        page.click("#explorer")
        page.until(
            lambda: "diabetes" in (page.js("return document.getElementById('title')?.textContent") or ""),
            "the explorer",
        )
        page.until(lambda: page.js("return document.body.dataset.ready") == "true", "it is ready")
    finally:
        page.driver.get("about:blank")
        server.stop()
        thread.join()


def test_a_page_without_a_run_is_the_playground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from glassnet.cli import main

    out = tmp_path / "page.html"
    monkeypatch.setattr(sys, "argv", ["glassnet", "explore", "--out", str(out)])
    with contextlib.suppress(SystemExit):
        main()
    text = out.read_text(encoding="utf-8")
    assert "{{" not in text
    assert "<title>glassnet playground</title>" in text


@in_browser
def test_a_slice_of_the_loss_goes_through_the_present_weights(page: Page, file: str) -> None:
    show(page, file)
    page.click("#one-epoch")
    weights = page.js(f"return [...{RUN}.net.weights]")
    page.click("#landscape-section summary")
    page.until(lambda: "The ball is the network now" in page.text("slice-words"), "the slice is drawn")
    found = page.asking(
        """
        const { direction, slice } = await import("glassnet/slice.js");
        const { run } = glassnetPlayground;
        const { net } = run.training;
        const lengths = (values, columns) => Array.from({ length: columns }, (_, c) =>
          Math.hypot(...values.filter((_, i) => i % columns === c)));
        const d = direction(net, 3);
        const values = slice(run, [d, direction(net, 4)]);
        const p = net.layers[2].parameters;
        const part = ({ begin, size }) => [...d.subarray(begin, begin + size)];
        return {
          middle: values[(values.length - 1) / 2], loss: run.training.scores(run.data.train).loss,
          lowest: Math.min(...values), drawn: lengths(part(p[0]), 8), own: lengths([...net.values(p[0])], 8),
          bias: part(p[1]),
        };"""
    )
    assert found["middle"] == pytest.approx(found["loss"])
    assert found["lowest"] < found["middle"] * 1.001
    assert found["drawn"] == pytest.approx(found["own"], rel=1e-4)
    assert set(found["bias"]) == {0}
    assert page.js(f"return [...{RUN}.net.weights]") == weights


@in_browser
def test_the_ball_in_the_bowl_rolls_from_where_it_is_put(page: Page, file: str) -> None:
    from selenium.webdriver.common.keys import Keys

    show(page, file)
    page.click("#landscape-section summary")
    legend = "return document.querySelector('#bowl-fields .legend')?.textContent ?? ''"
    page.until(lambda: "Adam" in page.js(legend), "the ways are drawn")
    before = page.js(legend)
    page.js("document.getElementById('bowl').focus()")
    page.keys(Keys.ARROW_RIGHT)
    page.until(lambda: page.js(legend) != before, "the ball was moved")
    rate = "const s = document.querySelector('#bowl-fields input'); s.value = 0.5; s.dispatchEvent(new Event('input'))"
    page.js(rate)
    page.until(lambda: "∞" in page.js(legend) or "e" in page.js(legend), "a rate that is too high leaves the bowl")


@in_browser
def test_weights_that_are_moved_by_hand_are_in_the_link_and_in_the_code(page: Page, file: str) -> None:
    given = spec(
        data={**spec()["data"], "derived": ["x1²", "x1·x2"]},
        schedule=made("schedules", "Cosine"),
        optimizer=made("optimizers", "SGD", lr=0.1),
    )
    show(page, file + link(given, []))
    assert page.js("return glassnetPlayground.run.data.features") == ["x1", "x2", "x1²", "x1·x2"]
    page.click('[aria-label="layer 1, unit 3"]')
    page.click("#unit-card summary")
    page.click("#one-epoch")
    move = """
      const s = document.querySelectorAll('#unit-fields input')[arguments[0]];
      s.value = arguments[1]; s.dispatchEvent(new Event('input'))"""
    page.js(move, 3, 2.5)
    page.js(move, 4, -1)
    assert page.js(f"return {RUN}.net.values({RUN}.net.layers[0].parameters[0])[3 * 8 + 2]") == 2.5
    assert page.js(f"return {RUN}.net.values({RUN}.net.layers[0].parameters[1])[2]") == -1
    page.click("#one-epoch")
    weights = page.js(f"return [...{RUN}.net.weights]")
    page.click("#code-section summary")
    page.until(lambda: "Course" in page.text("code"), "the code is written")
    train, val = executed(page.text("code"))
    seen = page.js(f"return {RUN}.history.at(-1)")
    assert (train["loss"], val["loss"]) == pytest.approx((seen["loss"], seen["val_loss"]), rel=1e-3)
    page.click("#link")
    page.until(lambda: "holds it now" in page.text("copied-link"), "the address holds it")
    show(page, page.js("return location.href"))
    assert page.js(f"return [...{RUN}.net.weights]") == weights


DRAWN = Path(__file__).parents[1] / "docs" / "playgrounds.json"  # which isn't in a source distribution
FIGURES = json.loads(DRAWN.read_text(encoding="utf-8")) if DRAWN.is_file() else {}


@in_browser
@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("width", [700, 350])
def test_a_figure_of_the_tutorial_shows_its_part(page: Page, file: str, name: str, width: int) -> None:
    state = base64.urlsafe_b64encode(json.dumps(FIGURES[name]).encode()).decode().rstrip("=")
    show(page, f"{file}#{state}", width=width, height=FIGURES[name]["height"])
    assert not page.find("#problem").is_displayed()
    assert page.js("return document.documentElement.scrollWidth") <= width
    assert page.js("return document.body.dataset.view") == FIGURES[name]["view"]
    assert page.find("#bowl" if name == "bowl" else "#plane").is_displayed()
    assert page.find("#unit-fields").is_displayed() == (name == "neuron")
    assert not page.find("#data-card").is_displayed()


@in_browser
def test_a_figure_is_as_high_as_its_content_on_a_phone(page: Page, file: str, tmp_path: Path) -> None:
    source = DRAWN.parent / "_static" / "playgrounds.js"
    if not source.is_file():
        pytest.skip("the documentation isn't here")
    state = base64.urlsafe_b64encode(json.dumps(FIGURES["neuron"]).encode()).decode().rstrip("=")
    frame = f'<iframe class="playground" src="{file}#{state}" style="width: 340px; height: 480px"></iframe>'
    (tmp_path / "page.html").write_text(
        f'<body data-ready="true"><script>{source.read_text(encoding="utf-8")}</script>{frame}', encoding="utf-8"
    )
    page.open((tmp_path / "page.html").as_uri(), width=390, height=844)
    height = "return document.querySelector('iframe').offsetHeight"
    page.until(lambda: page.js(height) > 600, "the figure has grown")
    page.driver.switch_to.frame(0)
    try:
        hidden = "const e = document.documentElement; return e.scrollHeight - e.clientHeight"
        page.until(lambda: page.js(hidden) <= 0, "nothing of it is hidden")
    finally:
        page.driver.switch_to.default_content()


@in_browser
def test_the_code_goes_as_far_as_the_page_in_a_schedule_and_without_a_test_part(page: Page, file: str) -> None:
    given = spec(schedule=made("schedules", "OneCycle"), data={**spec()["data"], "share": 0})
    show(page, file + link(given, [["train", 17]]))
    page.click("#code-section summary")
    page.until(lambda: "course.step()" in page.text("code"), "the code is written")
    (train,) = executed(page.text("code"))
    loss = page.js(f"return {RUN}.scores(glassnetPlayground.run.data.train).loss")
    assert train["loss"] == pytest.approx(loss, rel=1e-3)
    assert page.text("loss-test") == "\N{EN DASH}"


def test_the_doctor_of_the_page_has_the_thresholds_of_the_library() -> None:
    known, (text, _) = catalog()["doctor"], static_files()["watch.js"]
    assert known["SATURATED"] == course.SATURATED
    assert known["FLAT"] == {"Tanh": [-0.99, 0.99], "Sigmoid": [0.01, 0.99]}
    assert not re.search(r"\d\.\d", text), "a threshold of its own"


@in_browser
def test_overfitting_is_found_while_it_happens(page: Page, file: str) -> None:
    few = {"kind": "moons", "n": 40, "noise": 0.3, "share": 0.5, "seed": 1}
    layers = [dense(32), made("layers", "ReLU"), dense(32), made("layers", "ReLU"), dense(2)]
    show(page, file + link(spec(data=few, layers=layers, epochs=300), []))
    page.click("#start")
    page.until(lambda: "learns its points by heart" in page.text("findings"), "the doctor finds it")
    page.click("#start")
    assert page.js(f"return {RUN}.history.at(-1).loss < {RUN}.history.at(-1).val_loss")
    page.click("#findings button")
    assert "pointed" in page.find("#curves").get_attribute("class")


@in_browser
def test_a_unit_that_is_off_for_all_points_is_found_and_shown(page: Page, file: str) -> None:
    show(page, file + link(spec(optimizer=made("optimizers", "SGD", lr=30.0)), []))
    off = "const p = arguments[0].layers[0].parameters[1]; arguments[0].values(p).fill(-100)"
    page.js(off.replace("arguments[0]", f"{RUN}.net"))
    page.click("#one-step")
    page.until(lambda: "8 of 8 units" in page.text("findings"), "the doctor finds them")
    page.js("[...document.querySelectorAll('#findings button')][0].click()")
    page.until(
        lambda: page.js("return document.querySelectorAll('.neuron.pointed').length") == 8, "all of them are framed"
    )


@in_browser
def test_every_word_beside_a_control_is_explained(page: Page, file: str) -> None:
    specs = [
        spec(optimizer=made("optimizers", name, lr=0.01), layers=[dense(4), *layers, dense(2)])
        for name in OPTIMIZER_NAMES
        for layers in ([made("layers", "Dropout", rate=0.3)], [made("layers", "LeakyReLU", slope=0.2)])
    ]
    plain = {"problem", "points", "warmup", "first", "last", "start", "high", "low"}
    for given in specs:
        show(page, file + link(given, []))
        page.js("for (const d of document.querySelectorAll('details')) d.open = true")
        labels = page.js(
            "return [...document.querySelectorAll('.fields label:not(.derived), #layer-fields label')]"
            ".filter((l) => !l.closest('#unit-fields, #bowl-fields') && !l.parentElement.querySelector('.what'))"
            ".map((l) => l.textContent.toLowerCase())"
        )
        assert set(labels) <= plain | {"put behind it"}
    words = page.js("return document.getElementById('layer-fields').textContent")
    assert "negative ones by 0.2" in words, "a layer's sentence has the numbers that were chosen"


OPTIMIZER_NAMES = sorted(cls.__name__ for cls in OPTIMIZERS)


@in_browser
def test_a_question_mark_shows_what_a_word_means(page: Page, file: str) -> None:
    show(page, file)
    page.click("#train-fields .what")
    note = page.find("#train-fields .meaning")
    assert note.is_displayed()
    assert "gradient" in note.text
    page.click("#train-fields .what")
    assert not note.is_displayed()
    page.click("#to-words")
    assert page.find("#words").is_displayed()
