"""The page of `espalier captions review` in a real browser: Debian's chromium and chromium-driver."""

import json
import pathlib
import re
import shutil
import time

import pytest

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
if not CHROMIUM or not DRIVER:
    pytest.skip("needs chromium and chromium-driver", allow_module_level=True)
Image = pytest.importorskip("PIL.Image")

HOSTILE = ('<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script> '
           "\u202egnp.exe\u202c \u200b & \" ' </p>")


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def photos(folder, count):
    for i in range(count):
        file = folder / ("rose" if i % 2 else "lily") / f"{i:04}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (160, 120), (i * 37 % 256, i * 91 % 256, 120)).save(file)
    return folder


def captions(folder, file, texts=None):
    ids = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))
    table = {name: f"a flower number{i} with{i} petals{i} of{i} colour{i}" for i, name in enumerate(ids)}
    table.update(texts or {})
    file.write_text(json.dumps(table))
    return file


class Page:
    def __init__(self, browser, process):
        self.browser, self.process = browser, process
        lines = []
        while not lines or not lines[-1].strip().startswith("http://"):
            lines.append(process.stdout.readline())
            assert lines[-1], "".join(lines) + process.stderr.read()
        self.link = lines[-1].strip()
        self.open()

    def open(self):
        self.browser.get("about:blank")
        self.browser.get(self.link)
        self.until(lambda: self.text("count") != "")

    def until(self, holds, seconds=10):
        return WebDriverWait(self.browser, seconds, 0.02).until(lambda _: holds())

    def find(self, name):
        return self.browser.find_element(By.ID, name)

    def text(self, name):
        return self.find(name).text

    def press(self, *keys):
        self.browser.switch_to.active_element.send_keys(*keys)

    def saved(self):
        self.until(lambda: self.text("saved") == "Saved")

    def place(self):
        return self.text("place").split(" · ")[0]

    def decide(self, key):
        before = self.text("place")
        self.press(key)
        self.until(lambda: self.text("place") != before)

    def end(self):
        self.process.terminate()
        return self.process.communicate(timeout=20)


@pytest.fixture
def review(browser, start_espalier, tmp_path):
    def start(count=8, texts=None, reviewer="anna", make=True, more=()):
        folder, file = tmp_path / "photos", tmp_path / "set.json"
        if make:
            captions(photos(folder, count), file, texts)
        return Page(browser, start_espalier(
            "captions", "review", file, "dataset.use=image_folder", f"dataset.root={folder}",
            "--reviewer", reviewer, "--overlap", "1", *more))

    return start


def decisions(folder, reviewer="anna"):
    file = next(pathlib.Path(folder).glob(f"*.review/decisions.{reviewer}.jsonl"))
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_keys_decide_edit_and_undo(review, tmp_path):
    page = review()
    first = page.text("place")
    page.decide("a")
    page.press("e")
    page.until(lambda: page.find("text").is_displayed())
    page.press(Keys.CONTROL + "a")
    page.press("a b c: a r e s u ? / 1", Keys.ENTER)  # keys of decisions are letters here
    page.until(lambda: page.place().startswith("3 of"))
    page.press("2")
    page.press("5")
    page.decide("r")
    page.decide("s")
    page.saved()
    lines = decisions(tmp_path)
    assert [line["verdict"] for line in lines] == ["accept", "edit", "reject", "skip"]
    assert lines[1]["text"] == "a b c: a r e s u ? / 1"
    assert lines[2]["reasons"] == ["wrong colour", "made up"]
    assert "2 at random" not in page.text("estimate") and "of 3 at random" in page.text("estimate")
    for left in (3, 2, 1, 0):
        page.press("u")
        page.until(lambda: page.place().startswith(f"{left + 1} of"))
    assert page.text("place") == first
    page.press("u")
    page.until(lambda: "nothing to undo" in page.text("message"))
    assert len(decisions(tmp_path)) == 8
    page.end()


def test_escape_leaves_the_editor_and_nothing_changes(review, tmp_path):
    page = review()
    page.press("e", "xyz", Keys.ESCAPE)
    page.until(lambda: page.find("accept").is_displayed())
    assert page.place().startswith("1 of") and decisions(tmp_path) == []
    page.press(Keys.ARROW_RIGHT)
    page.until(lambda: page.place().startswith("2 of"))
    page.press(Keys.ARROW_LEFT)
    page.until(lambda: page.place().startswith("1 of"))
    page.end()


def test_a_reload_in_the_middle_loses_nothing(review):
    page = review()
    seen = []
    for _ in range(3):
        seen.append(page.text("place").split(" · ")[1])
        page.decide("a")
    page.saved()
    page.open()
    assert page.place() == "1 of 5"
    assert page.text("place").split(" · ")[1] not in seen
    page.end()


def test_a_killed_program_goes_on(review, tmp_path):
    page = review()
    for _ in range(2):
        page.decide("r")
    page.saved()
    page.process.kill()
    page.process.wait()
    page.press("a")
    page.until(lambda: page.text("saved") == "NOT SAVED")
    with next(tmp_path.glob("*.review/*.jsonl")).open("a") as log:
        log.write('{"torn": ')
    again = review(make=False)
    assert again.place() == "1 of 6"
    again.decide("a")
    again.saved()
    assert [line["seq"] for line in decisions(tmp_path)] == [1, 2, 3]
    again.end()


def test_buttons_do_what_keys_do(review, tmp_path):
    page = review()
    page.find("reason-3").click()
    page.find("reject").click()
    page.until(lambda: page.place().startswith("2 of"))
    page.find("edit").click()
    page.find("text").clear()
    page.find("text").send_keys("another text altogether")
    page.find("save").click()
    page.until(lambda: page.place().startswith("3 of"))
    page.find("undo").click()
    page.until(lambda: page.place().startswith("2 of"))
    page.saved()
    assert decisions(tmp_path)[1]["text"] == "another text altogether"
    page.end()


def test_two_reviewers_and_a_third(review, browser, tmp_path):
    anna = review()
    place = anna.text("place")
    anna.decide("a")
    anna.saved()
    bob = review(reviewer="bob", make=False)
    assert bob.text("place") == place  # all captions are for all
    assert not bob.find("own").is_displayed()
    bob.decide("r")
    bob.saved()
    carl = review(reviewer="carl", make=False)
    carl.find("queue").send_keys("Disagreements")
    carl.until(lambda: carl.place() == "1 of 1")
    assert "accept" in carl.text("others") and "reject" in carl.text("others")
    for page in (anna, bob, carl):
        page.end()


def test_one_page_a_reviewer(review, espalier, tmp_path):
    page = review()
    done = espalier("captions", "review", tmp_path / "set.json", "dataset.use=image_folder",
                    f"dataset.root={tmp_path / 'photos'}", "--reviewer", "anna", code=2)
    assert "has a page open already" in done.stderr
    page.end()


def test_a_hostile_caption_is_text(review, browser):
    page = review(count=6, texts={f"{'rose' if i % 2 else 'lily'}/{i:04}.jpg": HOSTILE + str(i)
                                  for i in range(6)})
    shown = page.text("caption")
    assert '<script>document.title="owned"</script>' in shown
    assert "U+202E" in shown and "U+200B" in shown
    assert browser.title != "owned"
    assert page.find("caption").find_elements(By.CSS_SELECTOR, "img, script") == []
    page.press("e")
    assert page.find("text").get_attribute("value").startswith("<img")
    page.end()


def test_the_class_is_hidden_until_asked_for(review):
    page = review()
    assert page.text("label") == ""
    page.press("c")
    page.until(lambda: page.text("label") in ("· rose", "· lily"))
    page.end()


def test_queues(review, tmp_path):
    page = review(count=12, texts={"lily/0000.jpg": "too short", "lily/0002.jpg": "one two three four five six",
                                   "rose/0003.jpg": "one two three four five six"})
    for name, count in (("Near duplicates", 2), ("One class", 6), ("Least certain", 12)):
        Select(page.find("queue")).select_by_visible_text(name)
        page.until(lambda: page.place() == f"1 of {count}")
        assert "no estimate yet" in page.text("estimate")
    page.press("/")
    assert page.browser.switch_to.active_element == page.find("queue")
    time.sleep(1.2)  # what was typed before no longer counts for the list
    page.press("f")
    page.until(lambda: page.place() == "1 of 3")
    page.press("a")  # letters choose in a list, and decide nothing
    page.press(Keys.ENTER)
    assert page.browser.switch_to.active_element == page.find("card")
    assert page.text("flags") != "" and decisions(tmp_path) == []
    page.find("accept").click()
    page.saved()
    assert "no estimate yet" in page.text("estimate")
    page.end()


def test_the_lowest_score_comes_first_and_is_tried_on_the_audit(review, espalier, tmp_path):
    clip = ["encoder.use=clip", "encoder.weights=builtin:flora-clip"]
    page = review(count=6, more=clip)
    scores = json.loads((tmp_path / "set.json.review" / "scores.json").read_text())
    assert scores["measure"] == "clip_score" and len(scores["scores"]) == 6
    checked = json.loads(espalier(
        "captions", "check", tmp_path / "set.json", "dataset.use=image_folder",
        f"dataset.root={tmp_path / 'photos'}", *clip, "--no-probe", "--json", "-").stdout)
    mean = sum(scores["scores"].values()) / 6
    assert mean == pytest.approx(checked["clip_score"]["mean"], abs=1e-6)  # float32 features
    least = min(scores["scores"].values())
    lowest = [name for name, score in scores["scores"].items() if score == least]
    assert len(lowest) < 6
    for _ in range(6):
        now = page.text("place").split(" · ")[1]
        page.decide("r" if now in lowest else "a")
    page.saved()
    page.end()

    again = review(reviewer="bob", make=False)  # what was measured is kept
    Select(again.find("queue")).select_by_visible_text("Least certain")
    again.until(lambda: again.text("place").split(" · ")[1] in lowest)
    again.until(lambda: again.text("sorting") == "lowest clip_score first, AUC 1.00 in the audit")
    again.end()
    said = json.loads(espalier("captions", "audit", tmp_path / "set.json", "--json").stdout)
    assert said["score"] == {"measure": "clip_score", "auc": 1.0}


def test_reviewers_are_compared_by_kappa(review, espalier, tmp_path):
    for name, keys in (("anna", "aarraa"), ("bob", "arraaa")):
        page = review(count=6, reviewer=name, make=name == "anna")
        for key in keys:
            page.decide(key)
        page.saved()
        page.end()
    said = json.loads(espalier("captions", "audit", tmp_path / "set.json", "--json").stdout)
    # Alike on 4 of 6; each rejects 2, so chance is 1/3 * 1/3 + 2/3 * 2/3.
    [pair] = said["pairs"]
    assert pair["reviewers"] == ["anna", "bob"] and pair["captions"] == 6 and pair["wrong"] == [2, 2]
    assert pair["observed"] == pytest.approx(2 / 3) and pair["expected"] == pytest.approx(5 / 9)
    assert pair["kappa"] == pytest.approx(0.25)


def test_five_thousand_captions_do_not_lag(review, tmp_path):
    folder, file = photos(tmp_path / "photos", 5000), tmp_path / "set.json"
    captions(folder, file)
    page = review(make=False)
    assert page.place() == "1 of 5000"
    begin = time.monotonic()
    for _ in range(40):
        page.decide("a")
    page.saved()
    assert (time.monotonic() - begin) / 40 < 0.5
    page.end()


def test_phone_width_dark_mode_and_names(review, browser):
    page = review()
    for button in browser.find_elements(By.CSS_SELECTOR, "button, select, input, textarea, progress, img"):
        if button.is_displayed():
            assert button.accessible_name, button.get_attribute("outerHTML")
    assert page.find("saved").aria_role == "status"
    back = page.find("card").value_of_css_property("color")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                            {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    assert page.find("card").value_of_css_property("color") != back
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": 375, "height": 740, "deviceScaleFactor": 1, "mobile": True})
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= 375
    accept = page.find("accept").rect
    assert accept["x"] >= 0 and accept["x"] + accept["width"] <= 375
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.end()


def test_without_its_token_the_page_says_what_to_do(review, browser):
    page = review()
    browser.get("about:blank")
    browser.get(page.link.split("#")[0])
    page.until(lambda: "whole link" in page.text("message"))
    assert re.search(r"#[0-9a-f]{32}$", page.link)
    page.end()


def test_export_and_audit(review, espalier, tmp_path):
    page = review()
    for key in "aara":
        page.decide(key)
    page.saved()
    page.end()
    said = json.loads(espalier("captions", "audit", tmp_path / "set.json", "--json").stdout)
    assert (said["looked_at"], said["wrong"], said["captions"]) == (4, 1, 8)
    out = tmp_path / "reviewed.jsonl"
    espalier("captions", "review", tmp_path / "set.json", "--export", out)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines[0]["about"]["parent"].startswith("sha256:")
    assert sum(line["answer"] == "dropped" for line in lines[1:]) == 1
