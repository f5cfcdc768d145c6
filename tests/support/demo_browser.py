"""The demo's page in headless Chromium, for its test and for its picture in the README.

python tests/support/demo_browser.py docs/images/demo.png
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import numpy as np
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from pymtcnn import read_picture

GRACE_HOPPER = Path(__file__).parents[1] / "data" / "grace_hopper.jpg"
PROGRAMS = ("chromium", "chromedriver")
TIMEOUT = 60  # seconds: machines may be busy


def missing_programs() -> list[str]:
    """Those of Debian's packages chromium and chromium-driver that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


class Page:
    """The page as its visitor sees it; every method waits until it can be done."""

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self.driver = driver
        driver.get(address)

    def find(self, selector: str):
        return self.until(lambda: self.driver.find_element(By.CSS_SELECTOR, selector))

    def until(self, value: Callable):
        """A function's return value, once it is true."""
        wait = WebDriverWait(self.driver, TIMEOUT, 0.1, ignored_exceptions=[Exception])
        return wait.until(lambda _: value())

    def upload(self, path: Path) -> None:
        self.find("#upload input[type=file]").send_keys(str(path))

    def remove(self) -> None:
        self.find("#upload button[aria-label='Remove Image']").click()
        self.until(lambda: self.message() == "")

    def set_min_face(self, pixels: int) -> None:
        self.find("#min-face input[type=number]").send_keys(
            Keys.CONTROL, "a", Keys.NULL, str(pixels), Keys.TAB
        )

    def choose_stage(self, name: str) -> None:
        self.find(f"#stage input[value={name}]").click()

    def message(self) -> str:
        return self.find("#message textarea").get_attribute("value")

    def picture_address(self) -> str:
        return self.find("#found img").get_attribute("src")

    def picture(self) -> np.ndarray:
        """The picture with its boxes, [H, W, 3] RGB."""
        return _fetch(self.picture_address())

    def face(self) -> np.ndarray:
        """The first of the aligned faces, [H, W, 3] RGB."""
        return _fetch(self.find("#faces img").get_attribute("src"))

    def timing(self) -> str:
        return self.find("#timing").text

    def json(self) -> str:
        return self.find("#json .cm-content").get_attribute("textContent")

    def requests(self) -> list[str]:
        """The addresses that the page requested since the last call."""
        events = [
            json.loads(row["message"])["message"] for row in self.driver.get_log("performance")
        ]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]


def _fetch(address: str) -> np.ndarray:
    with urlopen(address) as answer:
        return read_picture(answer.read())


@contextmanager
def open_page(address: str, size: tuple[int, int] = (1280, 1000)) -> Iterator[Page]:
    """The page in a window of `size` pixels."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (
        "headless=new",
        "no-sandbox",
        "disable-dev-shm-usage",
        "hide-scrollbars",
        f"window-size={size[0]},{size[1]}",
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield Page(driver, address)
    finally:
        driver.quit()


def save_screenshot(path: str) -> None:
    """Write the page with a picture and its face as a PNG of 256 colours."""
    from pymtcnn.demo.server import serving

    with serving(port=0) as address, open_page(address, (1100, 1190)) as page:
        page.upload(GRACE_HOPPER)
        page.until(lambda: page.picture_address() and page.json() and page.find("#faces img"))
        time.sleep(1)  # until pictures have loaded and colours have faded in
        png = page.driver.get_screenshot_as_png()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(256, Image.Quantize.FASTOCTREE).save(path, optimize=True)  # keeps the green


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Save a picture of the demo's page.")
    parser.add_argument("path", metavar="FILE.png")
    save_screenshot(parser.parse_args().path)
