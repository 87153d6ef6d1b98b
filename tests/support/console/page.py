# SPDX-License-Identifier: Apache-2.0
"""The console in a browser, as a test looks at it and presses its keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from support.waiting import eventually
from tools.chromium import prefer_dark, resize


class Page:
    """The console of the daemon at `url`."""

    def __init__(self, browser: Chrome, url: str) -> None:
        self.browser = browser
        self.url = url

    def open(self, place: str = "") -> None:
        """Loads the console anew, at a place: "nodes", "subscriptions?state=failed"."""
        self.browser.get("about:blank")
        self.browser.get(f"{self.url}/#/{place}")
        self.sees("E2 Subscription Manager")

    def reset(self) -> None:
        """A wide, light window without anything that was kept."""
        resize(self.browser, 1280)
        prefer_dark(self.browser, False)
        if self.browser.current_url.startswith("http"):
            self.run("localStorage.clear()")
        self.browser.get("about:blank")
        self.complaints()

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    @property
    def text(self) -> str:
        return str(self.run("return document.body.innerText"))

    @property
    def place(self) -> str:
        return str(self.run("return location.hash"))

    def sees(self, *texts: str) -> None:
        """Waits until all of the texts are on the page."""
        for text in texts:
            self._until(partial(self._has, text), text)

    def sees_no_more(self, text: str) -> None:
        self._until(lambda: not self._has(text), f"not {text}")

    def look(self) -> None:
        """Somebody comes back to the page, which asks anew at once."""
        self.run("document.dispatchEvent(new Event('visibilitychange'))")

    def _has(self, text: str) -> bool:
        return text in self.text

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        eventually(condition, what=lambda: f"{what!r} on the page\n{self.text}", every=0.02)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return eventually(lambda: self.all(selector), what=selector, every=0.02)[0]

    def texts(self, selector: str) -> list[str]:
        found = self.run("return [...document.querySelectorAll(arguments[0])].map(each => each.innerText)", selector)
        return [str(text) for text in found]

    def count(self, selector: str) -> int:
        return int(self.run("return document.querySelectorAll(arguments[0]).length", selector))

    def click(self, selector: str) -> None:
        def clicked() -> bool:
            try:
                self.one(selector).click()
            except StaleElementReferenceException:  # drawn anew meanwhile
                return False
            return True

        eventually(clicked, every=0.02)

    def press(self, *keys: str) -> None:
        """Presses keys one after the other, wherever the focus is."""
        ActionChains(self.browser, duration=0).send_keys(*keys).perform()

    def choose(self, label: str, text: str) -> None:
        """Chooses an option of a list by what a user reads."""
        self.run(
            """const fields = [...document.querySelectorAll('.choice')];
            const list = fields.find(each => each.firstElementChild.innerText === arguments[0]).querySelector('select');
            list.value = [...list.options].find(each => each.text === arguments[1]).value;
            list.dispatchEvent(new Event('change', { bubbles: true }));""",
            label,
            text,
        )

    def leave(self) -> list[str]:
        """Leaves the page, which would go on asking a daemon that ends. Returns what the browser complained of."""
        self.browser.get("about:blank")
        return self.complaints()

    def complaints(self) -> list[str]:
        """What the browser complained of since the last look: errors of scripts, and what the policy has blocked."""
        return [entry["message"] for entry in self.browser.get_log("browser")]


__all__ = ["Keys", "Page"]
