"""The explorer's page in a real browser: drawing, stepping, checking, training, by mouse and by keyboard."""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from browser import MISSING, Page
from glassnet import recipes
from glassnet.data.image import _centred, _fitted, _ink

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"the page's tests need {', '.join(MISSING)}")

PICTURES = os.environ.get("GLASSNET_PICTURES")  # a folder to write the documentation's screenshots into


LR = "return (await (await import('glassnet/model.js')).engine.progress(0)).settings.lr"


def plain(text: str) -> str:
    """Numbers as Python reads them."""
    return text.replace("\N{MINUS SIGN}", "-")


SEVEN = [[(0.25, 0.2), (0.5, 0.2), (0.75, 0.2), (0.65, 0.4), (0.55, 0.6), (0.48, 0.85)]]
ONE = [[(0.5, 0.15), (0.5, 0.4), (0.5, 0.6), (0.5, 0.85)]]
ZERO = [[(0.5 + 0.22 * math.sin(a / 10 * math.pi), 0.5 - 0.33 * math.cos(a / 10 * math.pi)) for a in range(21)]]


def served(what: str | None) -> Iterator[str]:
    """The address of a running explorer."""
    from glassnet import explore

    server = explore.Server(explore.open_subject(what))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server.url
    finally:
        server.stop()  # or pytest would wait for the thread after a test that failed
        thread.join()


@pytest.fixture(scope="module")
def mnist() -> Iterator[str]:
    yield from served(None)


@pytest.fixture(scope="module")
def digits() -> Iterator[str]:
    yield from served("digits")


@pytest.fixture(scope="module")
def diabetes() -> Iterator[str]:
    yield from served("diabetes")


@pytest.fixture(scope="module")
def wide_and_deep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A network with 800 x 800 weights in one layer, and more layers than fit beside each other."""
    path = tmp_path_factory.mktemp("recipe") / "wide.toml"
    changes = [f"network.hidden={[800, 800, *[8] * 8]}", "network.dropout=0.0", "network.input_dropout=0.0"]
    recipes.load("digits", changes=changes).save(path)
    yield from served(str(path))


def test_a_drawn_digit_is_recognised_while_it_is_drawn(page: Page, mnist: str) -> None:
    page.open(mnist)
    for strokes, digit in ((SEVEN, "7"), (ONE, "1"), (ZERO, "0")):
        page.click("#clear")
        page.draw(*strokes)
        page.until(lambda digit=digit: page.text("answer") == digit, f"the answer is {digit}")
        page.until(lambda digit=digit: page.text("said").startswith(digit), "a screen reader is told")
    assert page.text("origin") == "Your drawing"
    times = page.js("return window.glassnetTimings.slice(1)")
    assert len(times) > 10
    print(f"a stroke is on the screen after {np.median(times):.0f} ms (median of {len(times)})")  # shown by pytest -s


def test_a_click_and_a_tap_of_the_space_bar_each_leave_a_dot(page: Page, mnist: str) -> None:
    from selenium.webdriver.common.keys import Keys

    page.open(mnist)
    drawn = "const { shown } = await import('glassnet/model.js'); return shown.part === null && Math.max(...shown.x)"
    page.draw([(0.5, 0.5)])
    page.until(lambda: page.asking(drawn), "a click leaves a dot")
    page.click("#clear")
    page.until(lambda: page.asking(drawn) == 0, "the pad is empty")
    page.js("document.getElementById('pad').focus()")
    page.keys(Keys.SPACE)
    page.until(lambda: page.asking(drawn), "a tap leaves one")


def test_a_drawing_is_centred_as_the_library_centres_a_photo(page: Page, mnist: str) -> None:
    page.open(mnist)
    rng = np.random.default_rng(0)
    for shape, maximum in (((28, 28), 255), ((8, 8), 16)):
        drawing = np.zeros((70, 70))
        for _ in range(6):
            y, x, h, w = rng.integers(5, 40), rng.integers(5, 40), rng.integers(3, 25), rng.integers(3, 25)
            drawing[y : y + h, x : x + w] = rng.integers(100, 256)
        ink = _ink(drawing)
        expected = np.rint(_centred(_fitted(ink, shape), shape) * maximum).ravel()
        code = "const { prepare } = await import('glassnet/digit.js'); return prepare(...given.slice(0, 5))"
        got = page.asking(code, ink.ravel().tolist(), 70, 70, list(shape), maximum)
        # Pillow's resizing works in single precision: a value at a half may round the other way.
        assert np.abs(np.array(got) - expected).max() <= 1
        assert np.mean(got != expected) < 0.02


def mistake(page: Page) -> None:
    """Take a row that the network gets wrong: there, a step moves numbers that can be seen."""
    wrong = "const { shown } = await import('glassnet/model.js'); return shown.forward.prediction !== shown.truth"
    page.click("#mistake")
    page.until(lambda: page.asking(wrong), "a mistake")


def test_the_four_phases_change_the_numbers(page: Page, mnist: str) -> None:
    page.open(mnist)
    mistake(page)
    page.js("const s = document.getElementById('lr'); s.value = -1.3; s.dispatchEvent(new Event('input'))")
    page.until(lambda: page.asking(LR) == 0.05, "the trainer's learning rate")
    page.js("const t = document.getElementById('target'); t.value = 2; t.dispatchEvent(new Event('change'))")
    before = page.js("return document.querySelector('#forward-numbers').textContent")
    page.click("#next")
    page.until(lambda: page.js("return document.getElementById('loss-value')?.textContent"), "the loss")
    loss = float(page.text("loss-value"))
    assert loss > 1  # 2 is not what the first test digit is
    page.click("#next")
    page.until(lambda: page.text("scale-what") == "gradient of the loss", "the network shows gradients")
    assert "0 Standardize" in page.text("backward-numbers")
    page.click("#next")
    page.until(lambda: "3.W" in page.text("update-numbers"), "the update")
    rows = page.js(
        "return [...document.querySelectorAll('#update-numbers tbody tr')].map((r) => r.innerText.split('\\t'))"
    )
    assert float(rows[0][1]) == pytest.approx(loss, rel=1e-3)
    assert float(rows[0][2]) < loss  # the loss after the step
    table = "return [...document.querySelectorAll('#moved tbody tr')][0].innerText"
    before_it, gradient, velocity, after = (float(v) for v in plain(page.js(table)).split("\t")[1:])
    assert velocity == pytest.approx(-0.05 * gradient, rel=5e-3)  # the first step of SGD
    assert after == pytest.approx(before_it + velocity, abs=2e-3)  # each is rounded to three digits
    assert page.text("scale-what") == "output"
    page.click("#go-forward")
    page.until(lambda: page.text("next") == "Next: loss", "a new step begins")
    assert page.text("forward-numbers") != before
    page.click("#undo")
    page.until(lambda: page.text("forward-numbers") == before, "the weights are as they were")


def test_a_weight_is_checked_where_it_stands(page: Page, mnist: str) -> None:
    page.open(mnist)
    page.js("const t = document.getElementById('target'); t.value = 3; t.dispatchEvent(new Event('change'))")
    page.until(lambda: page.js("return document.querySelectorAll('#terms .weight').length") > 3, "the sum's terms")
    products = page.js("return [...document.querySelectorAll('#terms .bar')].map((b) => b.innerText)")
    *terms, _, _ = values = [float(plain(p)) for p in products]  # at the end: what all others add up to, and the bias
    sizes = [abs(v) for v in terms]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(values) == pytest.approx(float(plain(page.text("equation").rpartition("= ")[2])), abs=0.05)
    page.click("#terms .weight")
    page.until(lambda: "it raises" in page.text("weight-words"), "the weight in words")
    page.click("#check")
    page.until(lambda: "Passed" in page.text("check-result"), "the check passes")
    cells = page.js("return [...document.querySelectorAll('#check-result td')].map((c) => c.textContent)")
    analytic, numeric = (float(plain(c)) for c in cells[:2])
    assert analytic == pytest.approx(numeric, rel=1e-4)
    assert analytic != 0


def test_training_runs_live_pauses_and_goes_back(page: Page, digits: str) -> None:
    page.open(digits)
    step = lambda: int(page.find("#training").get_attribute("data-step") or 0)  # noqa: E731
    page.click("#one-step")
    page.until(lambda: step() == 1, "one step")
    page.click("#one-epoch")
    page.until(lambda: page.text("measured"), "the accuracy of an epoch")
    page.js("const s = document.getElementById('lr'); s.value = -1.3; s.dispatchEvent(new Event('input'))")
    assert page.text("lr-value") == "0.05"
    page.until(lambda: page.asking(LR) == 0.05, "the trainer's learning rate")
    page.until(lambda: page.text("where").startswith("Paused"), "the epoch's end")  # until then the button says Pause
    before = step()
    page.click("#start")
    page.until(lambda: step() > before + 20, "it trains")
    page.until(lambda: page.js("return document.querySelectorAll('#charts path.line').length") == 2, "both curves")
    page.click("#start")
    page.until(lambda: page.text("where").startswith("Paused"), "it pauses")
    accuracy, answer = page.text("measured"), page.js("return [...window.glassnetTimings].length")
    assert float(accuracy.rstrip("%")) > 50
    stands = step()
    bars = page.text("bars")
    page.js("const s = document.getElementById('scrub'); s.value = 0; s.dispatchEvent(new Event('input'))")
    page.until(lambda: page.text("scrub-value") == "epoch 0" and page.text("bars") != bars, "the weights at the start")
    page.js("const s = document.getElementById('scrub'); s.value = s.max; s.dispatchEvent(new Event('input'))")
    page.until(lambda: page.text("scrub-value") == "newest" and page.text("bars") == bars, "the newest weights")
    assert step() == stands
    assert answer > 0
    page.click("#reset")
    page.until(lambda: step() == 0, "it begins anew")
    page.js("const s = document.getElementById('lr'); s.value = s.max; s.dispatchEvent(new Event('input'))")
    page.until(lambda: page.asking(LR) == 10, "a learning rate far too high")
    page.click("#start")
    page.until(lambda: "learning rate" in page.text("findings"), "the doctor finds it")
    page.click("#start")
    page.until(lambda: page.text("where").startswith("Paused"), "it pauses")


TRAIN = "return (await import('glassnet/model.js')).engine.train(...given)"  # as another page would


def test_the_page_follows_a_training_that_another_page_starts(page: Page, digits: str) -> None:
    page.open(digits)
    step = lambda: int(page.find("#training").get_attribute("data-step") or 0)  # noqa: E731
    page.asking(TRAIN, "reset")
    page.until(lambda: step() == 0, "the page sees the reset")
    page.asking(TRAIN, "start")
    page.until(lambda: page.text("start") == "Pause" and step() > 0, "the page sees that it runs")
    page.asking("""
        const { engine } = await import("glassnet/model.js");
        engine.progress = () => ((engine.progress = engine.kept), Promise.reject(new Error("x")));
        engine.kept = (since) => engine.get("progress", { since });""")
    page.until(lambda: page.text("problem-words") == "x", "a look fails")
    seen = step()
    page.until(lambda: step() > seen, "the next look succeeds")
    assert page.find("#problem").get_attribute("hidden")
    assert page.find("#go-update").get_attribute("disabled")
    assert "pause it" in page.text("not-now")
    page.asking(TRAIN, "reset")
    page.until(lambda: step() == 0, "the page sees the reset")
    label = "return document.querySelector('#charts svg').getAttribute('aria-label')"
    assert page.js(label) == "Loss of each batch: nothing yet"
    page.asking(TRAIN, "step")
    page.until(lambda: step() == 1, "one step of the new course")
    assert page.js("return document.querySelectorAll('#charts circle').length") == 1  # and nothing of the old one
    assert not page.find("#go-update").get_attribute("disabled")


def test_settings_and_update_say_why_they_wait_for_the_newest_weights(page: Page, digits: str) -> None:
    page.open(digits)
    page.click("#reset")
    page.click("#one-epoch")
    page.until(lambda: page.text("measured"), "an epoch")
    page.js("const s = document.getElementById('scrub'); s.value = 0; s.dispatchEvent(new Event('input'))")
    page.until(lambda: "after epoch 0" in page.text("not-now"), "why there is no update now")
    off = "return ['lr', 'momentum', 'batch_size', 'go-update'].map((id) => document.getElementById(id).disabled)"
    assert page.js(off) == [True] * 4
    assert page.find("#past").is_displayed()
    page.js("const s = document.getElementById('scrub'); s.value = s.max; s.dispatchEvent(new Event('input'))")
    page.until(lambda: page.js(off) == [False] * 4, "the newest weights can be moved")


def test_a_failure_is_shown_until_the_same_succeeds(page: Page, digits: str) -> None:
    page.open(digits)
    page.click("#start")
    page.asking("""
        const { ask, engine } = await import("glassnet/model.js");
        const own = engine.example;
        engine.example = () => Promise.reject(new Error("there is no such row"));
        await ask("example", "test", 1e9);
        engine.example = own;""")
    looks = "return performance.getEntriesByType('resource').filter((r) => r.name.includes('progress')).length"
    before = page.js(looks)
    page.until(lambda: page.js(looks) > before + 3, "other questions are answered")
    assert page.text("problem-words") == "there is no such row"
    assert page.find("#problem").is_displayed()
    page.click("#next-row")
    page.until(lambda: not page.find("#problem").is_displayed(), "the next example ends it")
    page.click("#start")
    page.until(lambda: page.text("where").startswith("Paused"), "it pauses")


def test_a_finding_stays_open_while_its_numbers_change(page: Page, mnist: str) -> None:
    page.open(mnist)
    got = page.asking("""
        const { showFindings } = await import("glassnet/findings.js");
        const words = { where: "layer 2", evidence: "3 units", why: "because", advice: "do", source: "a paper" };
        const one = { name: "dead-relu", severity: "warning", ...words };
        const two = { ...one, name: "divergence", severity: "error" };
        const $ = (id) => document.getElementById(id);
        showFindings([one]);
        const [news, details] = [[$("findings-new").textContent], $("findings").querySelector("details")];
        details.open = true;
        details.querySelector("summary").focus();
        $("findings-new").textContent = "";
        showFindings([{ ...one, evidence: "4 units" }]);
        news.push($("findings-new").textContent);
        showFindings([two, { ...one, evidence: "5 units" }]);
        news.push($("findings-new").textContent);
        const kept = details.open && document.activeElement === details.querySelector("summary");
        const text = [...$("findings").children].map((li) => li.textContent);
        showFindings([]);
        return { news, kept, text, left: $("findings").children.length };""")
    assert got["news"] == ["The doctor has found: warning: dead relu", "", "The doctor has found: error: divergence"]
    assert got["kept"]
    assert "divergence" in got["text"][0]
    assert "5 units" in got["text"][1]
    assert got["left"] == 0


def test_all_terms_can_be_seen(page: Page, mnist: str) -> None:
    page.open(mnist)
    page.asking("(await import('glassnet/model.js')).select(1, 5)")
    rows = lambda: page.js("return document.querySelectorAll('#terms tbody tr').length")  # noqa: E731
    page.until(lambda: "784 terms" in page.text("terms"), "the unit's terms")
    assert rows() == 5 + 2
    for shown in (45, 85):
        page.click("[data-what=more]")
        assert rows() == shown + 2
        assert f"the other {784 - shown}" in page.text("terms")
        assert page.js("return document.activeElement.dataset.what") == "more"
    page.click("[data-what=fewer]")
    assert rows() == 5 + 2


def test_the_row_field_takes_whatever_is_typed(page: Page, mnist: str) -> None:
    page.open(mnist)
    row = lambda: page.js("return document.getElementById('row').value")  # noqa: E731
    set_row = "const r = document.getElementById('row'); r.value = arguments[0]; r.dispatchEvent(new Event('change'))"
    page.js(set_row, "3.4")
    page.until(lambda: page.text("origin").startswith("Row 3 "), "the row, rounded")
    page.js("document.getElementById('row').value = ''")
    page.click("#previous")
    page.until(lambda: page.text("origin").startswith("Row 2 "), "the row before the one that is shown")
    page.js(set_row, "")
    assert row() == "2"
    page.js(set_row, "1000000")
    page.until(lambda: row() == page.js("return document.getElementById('row').max"), "the last row")


def test_the_token_leaves_the_address_and_a_reload_still_works(page: Page, mnist: str) -> None:
    page.open(mnist)
    assert page.driver.current_url == mnist.partition("?")[0]
    page.driver.refresh()
    page.until(lambda: page.js("return document.body.dataset.ready") == "true", "the page is ready again")
    page.until(lambda: page.text("answer") != "\N{HORIZONTAL ELLIPSIS}", "there is an answer")


def test_many_weights_are_painted_once(page: Page, wide_and_deep: str) -> None:
    page.open(wide_and_deep)
    page.js("""
        window.painted = 0;
        const put = CanvasRenderingContext2D.prototype.putImageData;
        CanvasRenderingContext2D.prototype.putImageData = function (image, ...rest) {
          if (image.width === 800) window.painted += 1;
          return put.call(this, image, ...rest);
        };""")
    page.click("#expand-3")
    page.until(lambda: page.js("return window.painted") == 1, "800 x 800 weights")
    assert page.js("const c = document.querySelector('#expanded canvas'); return [c.width, c.height]") == [800, 800]
    drawn = page.js("return glassnetTimings.length")
    for k in range(3):
        page.click("#next-row")
        page.until(lambda k=k: page.js("return glassnetTimings.length") > drawn + k, "another row")
    page.js("""
        const canvas = document.querySelector("#expanded canvas");
        const { left, top } = canvas.getBoundingClientRect();
        for (let i = 0; i < 5; i++)
          canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: left + 4 + 9 * i, clientY: top + 4 }));""")
    assert page.text("tip").startswith("weight from unit 1 to unit ")
    assert page.find("#expanded .ring:not(.marked)").is_displayed()
    assert page.js("return window.painted") == 1
    page.click("#theme")
    assert page.js("return window.painted") > 1


def test_a_late_answer_is_not_drawn(page: Page, wide_and_deep: str) -> None:
    page.open(wide_and_deep)
    page.asking("""
        const { engine } = await import("glassnet/model.js");
        const { expand } = await import("glassnet/expanded.js");
        const own = engine.weights;
        let release;
        const gate = new Promise((resolve) => (release = resolve));
        engine.weights = async (name) => {
          const found = await own(name);
          if (name === "3.W") await gate;
          return found;
        };
        const late = expand(3);
        await expand(5);
        release();
        await late;
        engine.weights = own;""")
    assert page.js("return [...document.querySelectorAll('#expanded h3')].map((h) => h.textContent)") == [
        "The weights of layer 5"
    ]
    assert page.js("const c = document.querySelector('#expanded canvas'); return [c.width, c.height]") == [8, 800]


def test_the_chosen_layer_of_a_deep_network_is_in_sight(page: Page, wide_and_deep: str) -> None:
    from selenium.webdriver.common.keys import Keys

    page.open(wide_and_deep)
    inside = """
        const frame = document.getElementById("network").getBoundingClientRect();
        const box = document.getElementById("layers").children[arguments[0]].getBoundingClientRect();
        return box.left >= frame.left - 1 && box.right <= frame.right + 1"""
    last = page.js("return document.getElementById('layers').children.length") - 1
    page.until(lambda: page.js(inside, last), "the last layer is in sight at once")
    assert not page.js(inside, 1)
    page.asking("(await import('glassnet/model.js')).select(1, 0)")
    assert page.js(inside, 1)
    page.js("document.querySelector('#network-card .skip').focus()")
    page.keys(Keys.ENTER)
    page.until(lambda: page.focused() == "answer-heading", "the network is skipped")


def test_a_finger_opens_small_grids(page: Page, mnist: str) -> None:
    page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        page.open(mnist, width=390, height=844)
        assert page.js("return matchMedia('(pointer: coarse)').matches")
        before = page.text("unit-title")
        page.click("#layers section:nth-child(3) .grid canvas")
        page.until(lambda: page.js("return document.querySelector('#expanded canvas')"), "all units of layer 2")
        assert page.text("unit-title") == before
        page.click("#expanded canvas")
        page.until(lambda: page.text("unit-where").startswith("Layer 2, ReLU"), "a unit of it")
        small = """return [...document.querySelectorAll(".unit, .weight, button")]
            .filter((e) => e.offsetParent && e.getBoundingClientRect().height < 24).map((e) => e.outerHTML)"""
        assert page.js(small) == []
    finally:
        page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_a_table_is_moved_by_sliders(page: Page, diabetes: str) -> None:
    page.open(diabetes)
    before = page.text("answer")
    page.js("const s = document.getElementById('feature-2'); s.value = s.max; s.dispatchEvent(new Event('input'))")
    page.until(lambda: page.text("answer") != before, "another answer")
    assert page.js("return document.querySelectorAll('#sliders input[type=range]').length") == 10
    assert page.text("origin") == "Your row"
    page.click("#next-row")
    page.until(lambda: "the data say" in page.text("answer-note"), "an example with its target")
    opening = page.asking("return (await import('glassnet/model.js')).shown.network.opening")
    assert page.js("return document.getElementById('row').value") == str(opening + 1)


def test_all_of_it_goes_by_keyboard(page: Page, mnist: str) -> None:
    from selenium.webdriver.common.keys import Keys

    page.open(mnist)
    order = []
    for _ in range(60):
        page.keys(Keys.TAB)
        order.append(page.focused())
    stops = ["guide-open", "theme", "pad", "clear", "part", "previous", "row", "next-row", "random", "grid", "next"]
    places = [order.index(stop) for stop in stops]
    assert places == sorted(places)
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    page.js("document.getElementById('pad').focus()")
    page.keys(Keys.TAB)
    assert page.js(outline) == "solid"

    page.click("#clear")
    page.js("document.getElementById('pad').focus()")
    page.keys(Keys.ARROW_UP * 6)
    for _ in range(12):
        page.keys(Keys.SPACE, Keys.ARROW_DOWN)
    page.until(lambda: page.text("answer") == "1", "a line drawn by keys is a 1")

    page.js("document.querySelectorAll('.grid')[1].focus()")
    page.keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ENTER)
    page.until(lambda: page.text("unit-title") == "Unit 9", "the unit that was picked")
    said = page.js(
        "return document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).textContent"
    )
    assert said.startswith("unit 9: y = ")
    page.js("document.querySelector('#maps .grid').focus()")
    page.keys(Keys.END, Keys.ENTER)
    page.until(lambda: page.text("weight-title") == "Weight from pixel 27, 27 to unit 9", "a weight by keys")
    page.js("document.getElementById('check').focus()")
    page.keys(Keys.ENTER)
    page.until(lambda: "Passed" in page.text("check-result"), "its check")


def test_every_control_has_a_name_and_enough_contrast(page: Page, mnist: str) -> None:
    for theme in ("light", "dark"):
        page.open(mnist, theme=theme)
        page.click("#next")
        page.js("document.getElementById('code-section').open = true")
        nameless = """
            return [...document.querySelectorAll("button, input, select, [tabindex='0']")]
              .filter((e) => e.offsetParent && !e.getAttribute("aria-label") && !e.labels?.length)
              .filter((e) => !e.textContent.trim())
              .map((e) => e.outerHTML)"""
        assert page.js(nameless) == []
        assert page.js(CONTRAST) == []


CONTRAST = """
    const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const light = (c) => c.slice(0, 3).map((v) => linear(v / 255))
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (e) => {
      const c = rgb(getComputedStyle(e).backgroundColor);
      return c.length === 3 || c[3] === 1 ? c : behind(e.parentElement);
    };
    const weak = new Set();
    for (const e of document.querySelectorAll("body *")) {
      const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
      if (!own || !e.offsetParent || e.disabled || e.closest("svg")) continue;
      const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((p, q) => q - p);
      const contrast = (a + 0.05) / (b + 0.05);
      if (contrast < 4.5) weak.add(`${e.tagName}.${e.className}: ${contrast.toFixed(2)}`);
    }
    return [...weak];
"""


def test_it_fits_a_phone(page: Page, mnist: str) -> None:
    page.open(mnist, width=390, height=844)
    for _ in range(3):
        page.click("#next")
    page.until(lambda: "after" in page.text("update-numbers"), "the update")
    page.click("#layers section:nth-child(2) [aria-expanded]")
    page.until(lambda: page.js("return document.querySelector('#expanded canvas')"), "the weights of layer 1")
    assert page.js("return document.documentElement.scrollWidth") == 390
    # Nothing sticks out but inside a box that scrolls on its own.
    out = """
      return [...document.querySelectorAll("body *")]
        .filter((e) => e.offsetParent && !e.closest(".scrolls, .unseen, pre"))
        .filter((e) => e.getBoundingClientRect().right > 391).map((e) => e.outerHTML.slice(0, 80))"""
    assert page.js(out) == []


def test_the_walk_leads_to_what_a_weight_does(page: Page, mnist: str) -> None:
    from selenium.webdriver.common.keys import Keys

    page.open(mnist)
    page.click("#guide-open")
    stops = 10 if page.asking("return (await import('glassnet/model.js')).shown.network.can_train") else 8
    assert page.text("guide-count") == f"1 of {stops}"
    done = lambda: page.find("#guide-try").get_attribute("class") == "done"  # noqa: E731
    page.click("#random")
    page.until(done, "what was done is seen")
    page.click("#guide-next")
    outputs = page.asking("return (await import('glassnet/model.js')).shown.forward.layers[1].output")
    pick = "(await import('glassnet/model.js')).select(1, given[0])"
    page.asking(pick, int(np.argmin(outputs)))
    page.until(lambda: "is off for this row" in page.text("off-words"), "the unit is off")
    assert not done()
    page.click("#go-on")
    page.until(done, "a unit that is on")
    for _ in range(stops - 2):
        page.click("#guide-next")
        assert page.js(UNCOVERED), page.text("guide-title")
    page.click("#guide-question button:nth-of-type(2)")
    assert page.text("guide-question").endswith("Learning is finding weights that make the loss small.")
    page.keys(Keys.ESCAPE)
    assert page.focused() == "guide-open"


# Whether the bar of the walk leaves free the top of what it is about.
UNCOVERED = """
    const card = document.querySelector(".pointed");
    if (!card) return true;
    card.scrollIntoView({ behavior: "instant", block: "start" });
    const [bar, box] = [document.getElementById("guide"), card].map((e) => e.getBoundingClientRect());
    return (bar.bottom <= box.top || bar.top >= box.top + 100) && bar.height <= 0.31 * innerHeight"""


def test_the_walk_is_a_low_bar_on_a_phone(page: Page, mnist: str) -> None:
    page.open(mnist, width=390, height=844)
    page.click("#guide-open")
    for _ in range(7):
        assert page.js(UNCOVERED), page.text("guide-title")
        assert page.find("#guide-next").is_displayed()
        page.click("#guide-next")


def test_a_unit_that_is_off_says_so(page: Page, mnist: str) -> None:
    page.open(mnist)
    page.click("#undo")  # what another test did by hand
    page.until(lambda: not page.find("#changed").is_displayed(), "the weights are as they were")
    mistake(page)
    assert "the data say" in page.text("answer-note")
    outputs = page.asking("return (await import('glassnet/model.js')).shown.forward.layers[1].output")
    off = int(np.argmin(outputs))
    page.asking("(await import('glassnet/model.js')).select(1, given[0])", off)
    page.until(lambda: page.text("unit-title") == f"Unit {off}", "the unit")
    page.click("#terms .weight")
    page.click("#check")
    page.until(lambda: "0 both ways, because the unit is off" in page.text("check-result"), "why both ways give 0")
    for _ in range(3):
        page.click("#next")
    page.until(lambda: "none of its weights gets a gradient" in page.text("moved"), "why none has a gradient")
    assert "which you picked" in page.js("return document.querySelector('#moved tbody tr').innerText")
    assert page.find("#changed").is_displayed()
    page.click("#instead")
    gradient = "return document.querySelector('#moved tbody tr').innerText.split('\\t')[2]"
    page.until(lambda: page.text("unit-title") == f"Unit {int(np.argmax(outputs))}", "the unit that is on")
    assert float(plain(page.js(gradient))) != 0
    page.click("#undo")
    page.until(lambda: not page.find("#changed").is_displayed(), "the weights are as they were")
    for _ in range(3):
        page.click("#next")
    page.until(lambda: page.text("moved"), "the weights that moved")
    moved = page.js("return [...document.querySelectorAll('#moved tbody tr')].map((r) => r.innerText.split('\\t'))")
    changes = [abs(float(plain(row[-1])) - float(plain(row[1]))) for row in moved]
    assert changes[0] == pytest.approx(max(changes), rel=0.2)
    page.click("#undo")


def test_this_view_as_code_runs(page: Page, mnist: str, capsys: pytest.CaptureFixture[str]) -> None:
    page.open(mnist)
    page.js("document.getElementById('code-section').open = true")
    page.draw(*ONE)
    newest = """
        const { engine, shown } = await import("glassnet/model.js");
        return (await engine.code("example", shown)).code"""
    page.until(lambda: page.text("answer") == "1" and page.text("code") == page.asking(newest), "the drawing's code")
    shown = float(page.js("return document.querySelector('#layers .unit:nth-child(2) .unit-value').textContent"))
    exec(page.text("code"), {})  # the page's own words for what it shows
    first = re.search(r"\[\[(.*?)\]\]", capsys.readouterr().out, re.DOTALL)
    assert first
    assert float(first[1].split()[1]) == pytest.approx(shown, rel=5e-3)  # the score of a 1


def test_the_page_alone_draws_and_looks(page: Page, tmp_path: Path) -> None:
    from glassnet import explore

    explore.write(tmp_path / "page.html", explore.open_subject())
    page.open((tmp_path / "page.html").as_uri())
    page.click("#clear")
    page.draw(*SEVEN)
    page.until(lambda: page.text("answer") == "7", "the answer is 7")
    page.click("#terms .weight")
    page.until(lambda: page.text("weight-words") != "", "what the weight does")
    assert "only looks" in page.text("cannot")
    assert "glassnet explore" in page.text("cannot")
    for learns in ("#steps-card", "#training-body", "#check", "#colour-gradient"):
        assert not page.find(learns).is_displayed(), learns

    page.js("document.getElementById('code-section').open = true")
    page.until(lambda: "trace.equation" in page.text("code"), "the code of the sum")
    value = float(plain(page.text("equation").rpartition("= ")[2]))

    def agrees() -> bool:  # the code follows what is shown a little later
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            exec(page.text("code"), {})
        return float(shown.getvalue().rpartition("= ")[2]) == pytest.approx(value, rel=1e-3)

    page.until(agrees, "code that gives the sum that is shown")
    assert {address.partition(":")[0] for address in page.addresses()} <= {"file", "data"}


def test_the_served_page_loads_no_second_engine(page: Page, mnist: str) -> None:
    page.open(mnist)
    names = {address.rpartition("/")[2] for address in page.addresses()}
    assert "engine-remote.js" in names
    assert names.isdisjoint({"engine-local.js", "frozen.js", "equation.js", "code-local.js"})


def every_layer() -> gn.Network:
    layers = [
        gn.Standardize(),
        gn.Dense(64, 12),
        gn.ReLU(),
        gn.Dense(12, 11),
        gn.BatchNorm(11),
        gn.LeakyReLU(0.1),
        gn.Dropout(0.3),
        gn.GaussianNoise(0.2),
        gn.Dense(11, 10),
        gn.Sigmoid(),
        gn.Dense(10, 9),
        gn.LayerNorm(9),
        gn.Tanh(),
        gn.Exp(),
        gn.Dense(9, 8),
        gn.GELU(),
        gn.Dense(8, 7),
        gn.SiLU(),
        gn.Dense(7, 6),
        gn.Softmax(),
        gn.Dense(6, 10),
    ]
    return gn.Network(layers, dtype="float64", seed=1)


QUANTILES = [gn.QuantileNormalize(quantiles=50), gn.Dense(10, 6), gn.Tanh(), gn.Dense(6, 1), gn.Unstandardize()]
ROBUST = [gn.RobustScale(), gn.Dense(10, 1), gn.Unstandardize()]


NUMBER = re.compile(r"\d[\d.,]*(e[-+]\d+)?")


def numbers_in(text: str) -> list[float]:
    return [float(match[0].replace(",", "").rstrip(".")) for match in NUMBER.finditer(text)]


@pytest.mark.parametrize("case", ["every layer", "quantiles", "robust", "shipped"])
def test_the_engine_in_the_page_gives_the_librarys_numbers(page: Page, tmp_path: Path, case: str) -> None:
    from glassnet import explore

    subject = explore.open_subject({"shipped": None, "every layer": "digits"}.get(case, "diabetes"))
    if case == "every layer":
        net = every_layer()
        rng = np.random.default_rng(0)
        net.layers[4].running_mean[...], net.layers[4].running_var[...] = rng.normal(size=11), rng.uniform(0.5, 2, 11)
        subject = replace(subject, net=net)
    elif case != "shipped":
        subject = replace(subject, net=gn.Network({"quantiles": QUANTILES, "robust": ROBUST}[case], "float64", seed=1))
    subject.net.fit_preprocessing(subject.data.train.x, subject.data.train.y)
    explore.write(tmp_path / "page.html", subject)
    page.open((tmp_path / "page.html").as_uri())
    x, t = subject.data.test.x[2:3], subject.data.test.y[2:3]
    code = """
        const { engine } = await import("glassnet/model.js");
        const { layers } = await engine.forward(given[0]);
        const texts = [];
        for (const { index } of layers) texts.push((await engine.equation(given[0], index, 0)).text);
        return { outputs: layers.map(({ output }) => output), texts };"""
    got = page.asking(code, x[0].tolist())
    net = explore.in_use(subject.net.copy("float64"))
    expected = gn.trace(net, x, t, subject.loss, subject.optimizer)
    for output, layer in zip(got["outputs"], expected.layers, strict=True):
        np.testing.assert_allclose(output, layer.output[0], rtol=1e-4, atol=1e-5)  # in single precision
    for i, text in enumerate(got["texts"]):
        same = str(expected.equation(i, 0))
        assert NUMBER.sub("#", text) == NUMBER.sub("#", same)
        np.testing.assert_allclose(numbers_in(text), numbers_in(same), rtol=2e-3, atol=1e-3)


@pytest.mark.skipif(PICTURES is None, reason="writes the documentation's pictures if GLASSNET_PICTURES names a folder")
def test_pictures(page: Page, mnist: str) -> None:
    folder = Path(str(PICTURES))
    for name, width, height, theme in (
        ("light", 1400, None, "light"),
        ("dark", 1400, None, "dark"),
        ("phone", 390, 1500, "light"),
    ):
        page.open(mnist, width=width, theme=theme)
        page.click("#clear")
        page.draw(*SEVEN)
        page.until(lambda: page.text("answer") == "7", "the answer is 7")
        page.js("const t = document.getElementById('target'); t.value = 1; t.dispatchEvent(new Event('change'))")
        page.js("const s = document.getElementById('lr'); s.value = -2.8; s.dispatchEvent(new Event('input'))")
        page.until(lambda: page.asking(LR) < 0.002, "small steps")
        for _ in range(3):
            page.click("#next")
        page.until(lambda: "3.W" in page.text("update-numbers"), "the update")
        page.click("#terms .weight")
        page.click("#check")
        page.until(lambda: "Passed" in page.text("check-result"), "the check passes")
        page.js("document.activeElement.blur(); scrollTo(0, 0)")
        end = page.js("return Math.ceil(document.getElementById('steps-card').getBoundingClientRect().bottom) + 8")
        page.picture(folder / f"explorer-{name}.png", height or end)
        page.click("#undo")


def test_it_opens_on_a_right_answer_and_shows_a_mistake_on_request(page: Page, mnist: str) -> None:
    page.open(mnist)
    right = "const { shown } = await import('glassnet/model.js'); return shown.forward.prediction === shown.truth"
    assert page.asking(right)
    mistake(page)


def test_the_columns_of_a_table_are_given_as_what_they_are(page: Page, tmp_path: Path) -> None:
    rows = [
        f"{['red', 'green', 'blue'][i % 3]},20{10 + i % 9}-03-{1 + i % 28:02},{['yes', 'no'][i % 2]},"
        f"{'' if i % 10 == 3 else i % 17},{i % 3 + i % 17 / 9}"
        for i in range(240)
    ]
    (tmp_path / "paint.csv").write_text("\n".join(["colour,day,matt,age,price", *rows]), encoding="utf-8")
    recipe, source = tmp_path / "paint.toml", tmp_path / "paint.csv"
    text = f'name = "paint"\n[data]\nsource = "{source}"\ntarget = "price"\n[network]\ninputs = "QuantileNormalize"\n'
    recipe.write_text(f"{text}hidden = [6]\n[training]\nepochs = 1\n", encoding="utf-8")
    with contextlib.contextmanager(served)(str(recipe)) as address:
        page.open(address)
        row = "return (await import('glassnet/model.js')).shown.x"
        change = """const e = document.getElementById(`feature-${arguments[0]}`); e.value = arguments[1];
            e.dispatchEvent(new Event('change'))"""
        names = page.js("return [...document.querySelectorAll('#feature-0 option')].map((o) => o.textContent)")
        assert set(names) == {"red", "green", "blue", "another", "missing"}
        page.js(change, 0, "")
        page.until(lambda: page.asking(row)[0] is None, "the colour is missing")
        page.js(change, 0, -1)
        page.until(lambda: page.asking(row)[0] == -1, "another colour")
        page.js(change, 1, "2012-03-05")
        page.until(lambda: page.asking(row)[1] == 15404, "the day, since 1970")
        page.js("const e = document.querySelector('#sliders input[type=number]'); e.value = '';"
                "e.dispatchEvent(new Event('input'))")  # fmt: skip
        page.until(lambda: page.asking(row)[3] is None, "the age is missing")
        assert float(plain(page.text("answer"))) is not None
        page.until(lambda: "age = missing" in page.text("parts"), "what each column adds")
        numbers = page.js("return [...document.querySelectorAll('#parts .percent')].map((e) => e.textContent)")
        added = [float(plain(each)) for each in numbers]
        assert len(added) == 4
        start = float(plain(page.text("reasons-words")).split("from ")[1].split(",")[0])
        assert start + sum(added) == pytest.approx(float(plain(page.text("answer"))), abs=0.1)  # a sum of gradients
        page.driver.get("about:blank")


def test_layers_that_prepare_a_row_are_one_column_until_they_are_unfolded(page: Page, tmp_path: Path) -> None:
    rows = [f"{['red', 'green'][i % 2]},{i % 17},{i % 3 + i % 17 / 9}" for i in range(240)]
    (tmp_path / "paint.csv").write_text("\n".join(["colour,age,price", *rows]), encoding="utf-8")
    recipe, source = tmp_path / "paint.toml", tmp_path / "paint.csv"
    text = f'name = "paint"\n[data]\nsource = "{source}"\ntarget = "price"\n[network]\ninputs = "RobustScale"\n'
    recipe.write_text(
        f'{text}embedding = {{ name = "Periodic", dim = 2, n = 3, sigma = 1.0 }}\nhidden = [6]\n', encoding="utf-8"
    )
    with contextlib.contextmanager(served)(str(recipe)) as address:
        page.open(address)
        seen = "return [...document.querySelectorAll('#layers .layer:not([hidden]) h3')].map((h) => h.textContent)"
        page.until(lambda: page.js(seen)[:2] == ["2Periodic", "3Dense"], "the prepared row comes first")
        page.js(
            "[...document.querySelectorAll('#layers button')].find((b) => b.textContent.startsWith('Show')).click()"
        )
        assert page.js(seen)[:3] == ["0Columns", "1RobustScale", "2Periodic"]
        page.driver.get("about:blank")


def test_nothing_of_the_network_is_cut_on_a_small_screen(page: Page, mnist: str) -> None:
    page.open(mnist, width=1280, height=800)
    page.until(lambda: page.js("return document.querySelectorAll('#layers .layer').length") == 4, "all layers")
    assert page.js("const n = document.getElementById('network'); return n.scrollWidth - n.clientWidth") <= 0
    assert page.js("const c = document.getElementById('input-card'); return c.scrollWidth - c.clientWidth") <= 0


@pytest.mark.parametrize("width", [1440, 1280, 1100, 390])
def test_no_card_of_a_deep_network_lies_on_another(page: Page, wide_and_deep: str, width: int) -> None:
    page.open(wide_and_deep, width=width, height=844)
    page.until(lambda: page.js("return document.querySelector('main').classList.contains('deep')"), "it is deep")
    overlapping = """
        const boxes = [...document.querySelectorAll("main > .card")].map((e) => [e.id, e.getBoundingClientRect()]);
        const meet = (a, b, from, to) => a[from] < b[to] - 1 && b[from] < a[to] - 1;
        const over = (a, b) => meet(a, b, "left", "right") && meet(a, b, "top", "bottom");
        return boxes.flatMap(([a, x], i) =>
          boxes.slice(i + 1).filter(([, y]) => over(x, y)).map(([b]) => `${a} ${b}`))"""
    assert page.js(overlapping) == []
