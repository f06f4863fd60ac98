"""The explorer's page in a real browser: drawing, stepping, checking, training, by mouse and by keyboard."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.data.image import _centred, _fitted, _ink

MISSING = [name for name in ("selenium", "starlette", "uvicorn") if importlib.util.find_spec(name) is None]
MISSING += [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"the page's tests need {', '.join(MISSING)}")

PICTURES = os.environ.get("GLASSNET_PICTURES")  # a folder to write the documentation's screenshots into
WAIT = 15.0  # seconds, at most, for anything to appear


class Page:
    """A browser with what the tests do in it."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str, width: int = 1400, height: int = 900, theme: str = "light") -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        )
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        self.driver.get(url)
        self.until(lambda: self.js("return document.body.dataset.ready") == "true", "the page is ready")
        self.until(lambda: self.text("answer") != "…", "there is an answer")

    def js(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def asking(self, code: str, *arguments: Any) -> Any:
        """Run JavaScript that awaits."""
        whole = f"const done = arguments[arguments.length - 1]; (async (...given) => {{ {code} }})"
        answer = self.driver.execute_async_script(
            whole + "(...arguments).then((value) => done({ value }), (error) => done({ error: String(error) }))",
            *arguments,
        )
        assert "error" not in answer, answer
        return answer["value"]

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def click(self, selector: str) -> None:
        from selenium.common.exceptions import StaleElementReferenceException

        def clicked() -> bool:
            try:
                element = self.find(selector)
                self.js("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
                element.click()
            except StaleElementReferenceException:  # the page has drawn it anew
                return False
            return True

        self.until(clicked, f"a click on {selector}")

    def text(self, name: str) -> str:
        return self.js("return document.getElementById(arguments[0]).textContent", name)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, WAIT, poll_frequency=0.02).until(lambda _: condition(), f"never: {what}")

    def draw(self, *strokes: list[tuple[float, float]]) -> None:
        """Draw on the pad; points in shares of its side."""
        from selenium.webdriver.common.action_chains import ActionChains

        pad = self.find("#pad")
        self.js("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", pad)
        side = pad.size["width"]
        actions = ActionChains(self.driver, duration=15)
        for stroke in strokes:
            for i, (x, y) in enumerate(stroke):
                actions.move_to_element_with_offset(pad, round((x - 0.5) * side), round((y - 0.5) * side))
                if i == 0:
                    actions.click_and_hold()
            actions.release()
        actions.perform()

    def keys(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self) -> str:
        return self.js("return document.activeElement.id || document.activeElement.className")

    def picture(self, path: Path, height: int) -> None:
        import base64

        width = self.js("return innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        path.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def addresses(self) -> list[str]:
        """What the page has asked for since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


LR = "return (await (await import('glassnet/model.js')).engine.progress(0)).settings.lr"


def plain(text: str) -> str:
    """Numbers as Python reads them."""
    return text.replace("\N{MINUS SIGN}", "-")


SEVEN = [[(0.25, 0.2), (0.5, 0.2), (0.75, 0.2), (0.65, 0.4), (0.55, 0.6), (0.48, 0.85)]]
ONE = [[(0.5, 0.15), (0.5, 0.4), (0.5, 0.6), (0.5, 0.85)]]
ZERO = [[(0.5 + 0.22 * math.sin(a / 10 * math.pi), 0.5 - 0.33 * math.cos(a / 10 * math.pi)) for a in range(21)]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1400,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_script_timeout(WAIT)
    yield Page(driver)
    driver.quit()


@pytest.fixture
def page(browser: Page) -> Iterator[Page]:
    """The browser; afterwards nothing may have been complained of, and nothing asked of another machine."""
    yield browser
    assert browser.complaints() == []
    local = ("http://127.0.0.1:", "file://", "data:", "about:")
    assert [address for address in browser.addresses() if not address.startswith(local)] == []


def served(what: str | None) -> Iterator[str]:
    """The address of a running explorer."""
    from glassnet import explore

    server = explore.Server(explore.open_subject(what))
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server.url
    server.stop()
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
    assert np.median(times) < 50  # milliseconds


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


def test_the_four_phases_change_the_numbers(page: Page, mnist: str) -> None:
    page.open(mnist)
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
    assert velocity == pytest.approx(-0.05 * gradient, rel=5e-3)  # the first step of SGD(lr=0.05, momentum=0.9)
    assert after == pytest.approx(before_it + velocity, abs=1e-3)
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
    products = page.js("return [...document.querySelectorAll('#terms .bar')].map((b) => b.innerText)")[:-1]
    sizes = [abs(float(plain(p))) for p in products]
    assert sizes == sorted(sizes, reverse=True)
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


def test_a_table_is_moved_by_sliders(page: Page, diabetes: str) -> None:
    page.open(diabetes)
    before = page.text("answer")
    page.js("const s = document.getElementById('feature-2'); s.value = s.max; s.dispatchEvent(new Event('input'))")
    page.until(lambda: page.text("answer") != before, "another answer")
    assert page.js("return document.querySelectorAll('#sliders input[type=range]').length") == 10
    assert page.text("origin") == "Your row"
    page.click("#next-row")
    page.until(lambda: "the data say" in page.text("answer-note"), "an example with its target")
    assert page.js("return document.getElementById('row').value") == "1"


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
    assert page.text("guide-count") == "1 of 7"
    page.click("#random")
    page.until(lambda: page.find("#guide-try").get_attribute("class") == "done", "what was done is seen")
    for _ in range(6):
        page.click("#guide-next")
    page.click("#guide-question button:nth-of-type(2)")
    assert page.text("guide-question").endswith("Learning is finding weights that make the loss small.")
    page.keys(Keys.ESCAPE)
    assert page.focused() == "guide-open"


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


def test_the_page_alone_draws_and_steps(page: Page, tmp_path: Path) -> None:
    from glassnet import explore

    explore.write(tmp_path / "page.html", explore.open_subject())
    page.open((tmp_path / "page.html").as_uri())
    page.click("#clear")
    page.draw(*SEVEN)
    page.until(lambda: page.text("answer") == "7", "the answer is 7")
    page.js("const t = document.getElementById('target'); t.value = 3; t.dispatchEvent(new Event('change'))")
    for _ in range(3):
        page.click("#next")
    page.until(lambda: "3.W" in page.text("update-numbers"), "the update")
    page.click("#undo")
    page.until(lambda: page.text("next") == "Next: loss", "the weights are as they were")
    page.click("#terms .weight")
    page.click("#check")
    page.until(lambda: "Passed" in page.text("check-result"), "the check passes")
    assert "glassnet explore" in page.text("cannot")

    page.js("document.getElementById('code-section').open = true")
    page.until(lambda: "trace.check" in page.text("code"), "the code of the check")
    found: dict[str, Any] = {}
    exec(page.text("code"), found)
    name, index = page.asking("return Object.values((await import('glassnet/model.js')).shown.weight)")
    analytic = float(plain(page.js("return document.querySelector('#check-result td').textContent")))
    assert found["trace"].check(name, tuple(index)).analytic == pytest.approx(analytic, rel=1e-4)
    assert {address.partition(":")[0] for address in page.addresses()} <= {"file", "data"}


def every_layer() -> gn.Network:
    layers = [
        gn.Standardize(), gn.Dense(64, 12), gn.ReLU(), gn.Dense(12, 11), gn.BatchNorm(11), gn.LeakyReLU(0.1),
        gn.Dropout(0.3), gn.Dense(11, 10), gn.Sigmoid(), gn.Dense(10, 9), gn.LayerNorm(9), gn.Tanh(), gn.Dense(9, 8),
        gn.GELU(), gn.Dense(8, 7), gn.SiLU(), gn.Dense(7, 6), gn.Softmax(), gn.Dense(6, 10),
    ]  # fmt: skip
    return gn.Network(layers, dtype="float64", seed=1)


REGRESSION = [gn.QuantileNormalize(quantiles=50), gn.Dense(10, 6), gn.Tanh(), gn.Dense(6, 1), gn.Unstandardize()]


@pytest.mark.parametrize("case", ["every layer", "quantiles and Huber", "shipped"])
def test_the_engine_in_the_page_gives_the_librarys_numbers(page: Page, tmp_path: Path, case: str) -> None:
    from glassnet import explore

    if case == "shipped":
        subject = explore.open_subject()
    elif case == "every layer":
        subject = explore.open_subject("digits")
        net = every_layer()
        rng = np.random.default_rng(0)
        net.layers[4].running_mean[...], net.layers[4].running_var[...] = rng.normal(size=11), rng.uniform(0.5, 2, 11)
        loss, optimizer = gn.CrossEntropy(label_smoothing=0.1), gn.AdamW(lr=0.01, l2=1e-3, clip_norm=0.5)
        subject = replace(subject, net=net, loss=loss, optimizer=optimizer)
    else:
        subject = explore.open_subject("diabetes")
        net = gn.Network(REGRESSION, dtype="float64", seed=1)
        optimizer = gn.SGD(lr=0.01, momentum=0.9, nesterov=True, weight_decay=0.1)
        subject = replace(subject, net=net, loss=gn.Huber(0.5), optimizer=optimizer)
    subject.net.fit_preprocessing(subject.data.train.x, subject.data.train.y)
    explore.write(tmp_path / "page.html", subject)
    page.open((tmp_path / "page.html").as_uri())
    x, t = subject.data.test.x[2:3], subject.data.test.y[2:3]
    code = """
        const { engine } = await import("glassnet/model.js");
        const [x, t] = given;
        const gradients = {};
        await engine.trace(x, t, true); // the second step shows what the optimizer remembers
        const trace = await engine.trace(x, t, false);
        for (const [name, { gradient }] of Object.entries(engine.parameters)) gradients[name] = Array.from(gradient);
        await engine.trace(x, t, true);
        const after = Object.fromEntries(Object.entries(engine.parameters).map(([n, p]) => [n, Array.from(p.value)]));
        return { trace, gradients, after };"""
    got = page.asking(code, x[0].tolist(), t[0].item())
    net = explore.in_use(subject.net.copy("float64"))
    gn.trace(net, x, t, subject.loss, subject.optimizer, apply=True)
    expected = gn.trace(net, x, t, subject.loss, subject.optimizer)
    tolerance = {"rtol": 1e-5, "atol": 1e-9}
    for layer, other in zip(got["trace"]["layers"], expected.layers, strict=True):
        np.testing.assert_allclose(layer["output"], other.output[0], **tolerance)
        np.testing.assert_allclose(layer["dy"], other.dy[0], **tolerance)
        np.testing.assert_allclose(layer["dx"], other.dx[0], **tolerance)
    for name, parameter in expected.parameters.items():
        np.testing.assert_allclose(got["gradients"][name], parameter.gradient.ravel(), **tolerance)
        np.testing.assert_allclose(got["after"][name], parameter.after.ravel(), **tolerance)
    assert got["trace"]["loss"] == pytest.approx(expected.loss, rel=1e-6)
    assert got["trace"]["loss_after"] == pytest.approx(expected.loss_after, rel=1e-6)


@pytest.mark.skipif(PICTURES is None, reason="writes the documentation's pictures if GLASSNET_PICTURES names a folder")
def test_pictures(page: Page, mnist: str) -> None:
    folder = Path(str(PICTURES))
    for name, width, height, theme in (
        ("light", 1400, 1640, "light"), ("dark", 1400, 1640, "dark"), ("phone", 390, 1500, "light"),
    ):  # fmt: skip
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
        page.picture(folder / f"explorer-{name}.png", height)
        page.click("#undo")
