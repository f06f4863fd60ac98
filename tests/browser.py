"""A real browser, and what tests do in it."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

MISSING = [name for name in ("selenium", "starlette", "uvicorn") if importlib.util.find_spec(name) is None]
MISSING += [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
WAIT = 300.0  # seconds, at most, for anything to appear: only what never comes takes them


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
        self.until(
            lambda: self.js("return document.getElementById('answer')?.textContent") != "…", "there is an answer"
        )

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


def started() -> Iterator[Page]:
    """The browser, until it isn't needed any more."""
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
