"""The review page in a real browser, and the small server behind it."""

from __future__ import annotations

import io
import json
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from toolchain.board import load_board
from toolchain.capture.loopback import Loopback
from toolchain.capture.review import page, page_path, review
from toolchain.errors import DataError
from toolchain.recordings.captured import Captured, Raw, Take
from toolchain.recordings.codes import to_codes, to_si
from toolchain.recordings.corrections import apply_file, check
from toolchain.recordings.recording import Recording
from toolchain.recordings.storage import load_captured, save_captured
from toolchain.recordings.verdict import judge

IMU = load_board("nrf52840").imu
ROWS = 600
STEP_US = 5000
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--window-size=1200,1000"),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three recordings of 3 s; the motions of the first two are labelled. A name tries to break out of the page."""
    takes = []
    for number, (label, name) in enumerate(((1, "</script>ann"), (2, "bob"), (0, "cy"))):
        rng = np.random.default_rng(number)
        samples = rng.normal(0, 0.05, (ROWS, 6))
        samples[:, 2] += 9.81
        samples[200:300, 3] += 4
        codes = to_codes(samples.astype(np.float32), IMU)
        t_us = np.arange(ROWS, dtype=np.int64) * STEP_US
        labels = np.zeros(ROWS, np.int16)
        labels[200:300] = label
        raw = Raw(codes, t_us + number * 10_000_000, t_us, np.arange(ROWS, dtype=np.int64))
        recording = Recording(to_si(codes, IMU), t_us, labels, name, "s1")
        takes.append(Take(recording, raw, judge(recording.samples, t_us, codes=codes), "tap"))
    path = tmp_path / "x.npz"
    save_captured(path, Captured("x", ("none", "swipe_left", "tap"), "none", tuple(takes), "test"))
    return path


def test_the_page_is_whole_in_itself(file: Path) -> None:
    text = page(file)
    assert "src=" not in text
    assert "http://" not in text
    assert "https://" not in text
    data = text.split('type="application/json">')[1].split("</script>")[0]
    assert [r["person"] for r in json.loads(data)["recordings"]] == ["</script>ann", "bob", "cy"]


def test_another_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "flat.npz", x=np.zeros(3))
    with pytest.raises(DataError, match="not a file of ours"):
        page(tmp_path / "flat.npz")


def _get(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, ""


def test_the_server_is_for_nobody_else() -> None:
    with Loopback("<p>hello</p>") as server:
        root = server.url.rsplit("/", 2)[0] + "/"
        assert _get(server.url) == (200, "<p>hello</p>")
        assert _get(root)[0] == 404
        assert _get(root + "wrong/")[0] == 404
        assert _get(server.url, Host="evil.example")[0] == 404
        assert _get(server.url + "../../etc/passwd")[0] == 404
        request = urllib.request.Request(server.url + "save", data=b"{}", method="POST")
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(request, timeout=10)


def test_the_live_view_gets_what_is_pushed() -> None:
    with Loopback("page") as server:
        server.push({"nobody": "listens"})
        with urllib.request.urlopen(server.url + "events", timeout=10) as stream:
            for _ in range(200):
                if server.watched:
                    break
                threading.Event().wait(0.02)
            server.push({"rows": [[1, 2]]})
            lines = [stream.readline() for _ in range(2)]
        assert json.loads(next(line for line in lines if line.startswith(b"data: "))[6:]) == {"rows": [[1, 2]]}


# ---- in a browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromium-driver are not installed")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    folder = tmp_path_factory.mktemp("browser")
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    opened = webdriver.Chrome(options, webdriver.ChromeService(driver))
    opened.folder = folder
    yield opened
    opened.quit()


def _drag(browser: object, canvas: object, start_row: int, end_row: int) -> None:
    """Drag in a canvas from one sample to another."""
    from selenium.webdriver.common.action_chains import ActionChains

    width = canvas.size["width"]
    x = [round(row / (ROWS - 1) * width - width / 2) for row in (start_row, end_row)]
    chain = ActionChains(browser, duration=50)
    chain.move_to_element_with_offset(canvas, x[0], 0).click_and_hold()
    chain.move_by_offset((x[1] - x[0]) // 2, 0).move_by_offset(x[1] - x[0] - (x[1] - x[0]) // 2, 0)
    chain.release().perform()


def _correct(browser: object) -> None:
    """Move a border and change a label of recording 0, delete recording 1, mark a motion in recording 2."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import Select

    find = browser.find_element
    assert "0 of 3" in find(By.ID, "state").text
    _drag(browser, find(By.CSS_SELECTOR, "#recording-0 canvas"), 299, 400)
    Select(find(By.CSS_SELECTOR, "#recording-0 .spans select")).select_by_visible_text("tap")
    find(By.CSS_SELECTOR, "#recording-1 button.delete").click()
    canvas = find(By.CSS_SELECTOR, "#recording-2 canvas")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    _drag(browser, canvas, 150, 250)
    assert "3 of 3" in find(By.ID, "state").text


def _wait_until_said(browser: object, words: str) -> None:
    """Wait for a sentence of the page, which may be loaded anew meanwhile."""
    from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    lost = (NoSuchElementException, StaleElementReferenceException)
    WebDriverWait(browser, 20, ignored_exceptions=lost).until(lambda b: words in b.find_element(By.ID, "said").text)


def _check_corrected(file: Path) -> None:
    captured = load_captured(file)
    assert [take.recording.person for take in captured.takes] == ["</script>ann", "cy"]
    for take, first, last in zip(captured.takes, (200, 150), (400, 250), strict=True):
        at = np.flatnonzero(take.recording.labels)
        assert (take.recording.labels[at] == 2).all()
        assert abs(at[0] - first) <= 2, "a pixel is half a sample"
        assert abs(at[-1] - last) <= 2
        assert (np.diff(at) == 1).all()


def test_corrections_as_a_download(file: Path, browser: object) -> None:
    """The page as a file, without any server: what it downloads, ``tinyltc data apply`` takes."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    review(file, Console(quiet=True), serve=False, browser=False)
    browser.get(page_path(file).as_uri())
    assert not browser.find_element(By.ID, "save").is_displayed()
    _correct(browser)
    browser.find_element(By.ID, "download").click()
    target = browser.folder / "x.corrections.json"
    WebDriverWait(browser, 20).until(lambda _: target.exists() and target.stat().st_size)
    check(json.loads(target.read_text()), "it")
    apply_file(file, target, Console(quiet=True))
    _check_corrected(file)


def test_corrections_saved_by_the_server(file: Path, browser: object) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    text, done = io.StringIO(), threading.Event()
    console = Console(file=text, width=300)
    server = threading.Thread(
        target=review, args=(file, console), kwargs={"serve": True, "browser": False, "until": done}
    )
    server.start()
    try:
        WebDriverWait(browser, 20).until(lambda _: "Open http" in text.getvalue())
        browser.get(text.getvalue().split("Open ")[1].split()[0])
        _correct(browser)
        browser.find_element(By.ID, "save").click()
        _wait_until_said(browser, "2 recordings corrected, 1 deleted")
        _check_corrected(file)
        # The page that is there now shows what is in the file now, and nothing of it is changed.
        assert "0 of 2" in browser.find_element(By.ID, "state").text
        span = browser.find_element(By.CSS_SELECTOR, "#recording-1 .spans").text
        assert "to 1.2" in span
        _drag(browser, browser.find_element(By.CSS_SELECTOR, "#recording-0 canvas"), 201, 100)
        file.write_bytes(file.read_bytes() + b" ")
        browser.find_element(By.ID, "save").click()
        _wait_until_said(browser, "changed since")
    finally:
        done.set()
        server.join()
