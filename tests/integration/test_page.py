# SPDX-License-Identifier: MIT
"""The page of the real program, in a real Chromium, behind an ingress as Home Assistant has it."""
import json
import os
import signal
import urllib.error
import urllib.request

import pytest

import house as parts
import ingress

missing = ingress.browser_missing()
if missing and not os.environ.get("CI"):
    pytest.skip(missing, allow_module_level=True)

PICTURES = parts.ROOT / "build" / "pages"


@pytest.fixture(scope="module")
def browser():
    assert not missing, missing
    made = ingress.Browser()
    yield made
    made.close()


def meter(folder, name, title):
    return (f"{{id: {name}, name: {title}, profile: energomera-ce307, interval: 1s, address: 1, "
            f"link: {{serial: {folder}/{name}}}}}")


def house_with_page(folder, meters, extra=""):
    pages = parts.free_port()
    return parts.House(folder, meters, extra=f"http: {{listen: '127.0.0.1:{pages}', edit: true}}\n{extra}"), pages


def simulator(house, name):
    return house.simulate("--profile", "energomera-ce307", "--pty", house.tty(name))


def ready(pages):
    def answers():
        try:
            request = urllib.request.Request(f"http://127.0.0.1:{pages}/", headers={"Accept-Encoding": "gzip"})
            with urllib.request.urlopen(request, timeout=5) as answer:
                return "text/html" in answer.headers["Content-Type"] or "a program without the page"
        except urllib.error.HTTPError as error:
            return f"status {error.code} for the page"
        except OSError:
            return False
    assert parts.wait_for(answers, "the page is there") is True


def test_the_page_shows_exact_values_and_tells_every_loss(tmp_path, browser):
    house, pages = house_with_page(tmp_path, [meter(tmp_path, "house", "Cellar"), meter(tmp_path, "gone", "Attic")])
    broker = house.broker()
    with simulator(house, "house"), broker, house.bridge() as bridge, ingress.Ingress(pages) as way:
        ready(pages)
        with parts.Observer(house.port) as observer:
            browser.open(way.address)
            browser.see("live", ".live")
            browser.see("ok", "article:has-text('Cellar') .badge")
            # The digits are those on the wire of MQTT, one for one.
            payload = observer.wait_topic("meterbridge/house/state", payload=None)
            wire = json.loads(payload, parse_float=str, parse_int=str)
            shown = browser.do("return await page.locator('article:has-text(\"Cellar\") .digits').allInnerTexts()")
            assert shown and wire["energy_import"].split(".")[0] in {value.split(".")[0] for value in shown}
            assert all(len(value.split(".")[-1]) == len(wire["energy_import"].split(".")[-1]) for value in shown[:1])
        # A meter that is not there, in words, with its place.
        browser.see("device not reachable", "article:has-text('Attic') .badge")
        browser.see("Meters in trouble: 1")
        browser.do("await page.getByRole('link', {name: 'Cellar', exact: true}).click()")
        browser.see("Last valid telegram")
        browser.click("button", "Poll now")
        browser.see("Asked. The readings follow.")
        browser.click("link", "Log")
        browser.see(f"http: listens on 127.0.0.1:{pages}", ".log")
        browser.click("link", "Overview")
        # The broker goes.
        broker.stop(signal.SIGKILL)
        browser.see("Broker not connected: 1")
        browser.see("not connected", "section:has-text('MQTT broker') .badge")
        assert browser.do("return state.said") == []
        # The program goes: what is seen is old, and says so; then it comes again.
        assert bridge.stop() == 0
        browser.see("Connection lost")
        browser.see("connection lost", ".live")
        assert browser.do("return await page.locator('main.stale').count()") == 1
        with house.bridge() as again:
            browser.see("live", ".live")
            browser.do("await page.locator('.lost').waitFor({state: 'detached'})")
            browser.see("ok", "article:has-text('Cellar') .badge")
            assert again.stop() == 0
        assert way.strays == []
        origin = way.address.split("/api/")[0]
        assert [url for url in browser.do("return state.asked") if not url.startswith(origin + ingress.PREFIX)] == []


def test_a_mistake_is_marked_while_typing_and_a_meter_appears_when_applied(tmp_path, browser):
    house, pages = house_with_page(tmp_path, [meter(tmp_path, "house", "Cellar")])
    with (simulator(house, "house"), simulator(house, "second"), house.broker(), house.bridge(),
          ingress.Ingress(pages) as way):
        ready(pages)
        browser.open(way.address + "#/configuration")
        browser.see("Valid, and the same as in the file.", "#verdict")
        before = house.file.read_text()
        line = before.count("\n") + 1
        wrong = meter(tmp_path, "second", "Attic").replace("profile:", "profil:")

        def write(text):
            browser.do(f"await page.getByRole('textbox').fill({json.dumps(text)})")

        write(before + f"  - {wrong}\n")
        browser.see("Nothing is applied until they are mended.", "#verdict")
        browser.see("profil", ".problems")
        browser.click("button", f"Go to line {line}")
        at = browser.do("return await page.evaluate(() => document.activeElement.selectionStart)")
        assert before.count("\n") + 1 == (before + f"  - {wrong}\n")[:at].count("\n") + 1
        assert browser.do("return await page.getByRole('button', {name: 'Apply'}).isDisabled()")
        assert house.file.read_text() == before
        # What was typed waits while somebody looks elsewhere.
        browser.click("link", "Overview")
        browser.click("link", "Configuration")
        assert wrong in browser.do("return await page.getByRole('textbox').inputValue()")
        good = before + f"  - {meter(tmp_path, 'second', 'Attic')}\n"
        write(good)
        browser.see("Valid, not applied yet.", "#verdict")
        browser.click("button", "Apply")
        browser.see("Applied.", ".outcome")
        assert house.file.read_text() == good
        browser.click("link", "Overview")
        browser.see("ok", "article:has-text('Attic') .badge")
        # Somebody else was faster: nothing is written, and the choice is the user's.
        # The view reads the file again: what is written before it did would be the page's own, too.
        read = "response.url().endsWith('/api/configuration') && response.request().method() === 'GET'"
        browser.do(f"await Promise.all([page.waitForResponse((response) => {read}), page.getByRole('link', {{name: 'Configuration'}}).first().click()])")
        browser.see("Valid, and the same as in the file.", "#verdict")
        theirs = good + "# by hand\n"
        house.file.write_text(theirs)
        write(good + "# on the page\n")
        browser.see("Valid, not applied yet.", "#verdict")
        browser.click("button", "Apply")
        browser.see("Somebody changed the file meanwhile. Nothing was written.")
        assert house.file.read_text() == theirs
        browser.click("button", "Apply mine over it")
        browser.see("Applied.", ".outcome")
        assert house.file.read_text() == good + "# on the page\n"
        assert [text for text in browser.do("return state.said") if "412" not in text] == []


# Every text against what is really behind it, as WCAG counts it.
CONTRAST = """
return await page.evaluate(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const found = channels(getComputedStyle(element).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.body.querySelectorAll('*')) {
    if (element.disabled || ![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return poor;
});
"""
NAMELESS = """
return await page.evaluate(() => [...document.querySelectorAll('a, button, select, textarea')]
  .filter((element) => !element.innerText.trim() && !element.getAttribute('aria-label') && !element.labels?.length)
  .map((element) => element.outerHTML));
"""


def test_every_view_is_readable_on_a_phone_and_a_desk_by_day_and_by_night(tmp_path, browser):
    house, pages = house_with_page(tmp_path, [meter(tmp_path, "house", "Cellar"), meter(tmp_path, "gone", "Attic")])
    PICTURES.mkdir(parents=True, exist_ok=True)
    with simulator(house, "house"), house.broker(), house.bridge(), ingress.Ingress(pages) as way:
        ready(pages)
        for width, scheme, language in ((1280, "light", "en-GB"), (360, "dark", "de-AT"), (360, "light", "hu-HU"), (1280, "dark", "ru-RU")):
            browser.open(way.address, viewport={"width": width, "height": 800}, colorScheme=scheme, locale=language)
            assert browser.do("await page.locator('article .digits').first().waitFor(); "
                              "return await page.evaluate(() => document.documentElement.lang)") == language[:2]
            for view, there in (("", "article"), ("meter/house", ".readings"), ("log", ".log li"), ("configuration", ".verdict.good")):
                browser.do(f"await page.evaluate((to) => {{ location.hash = to; }}, {json.dumps('#/' + view)})")
                browser.do(f"await page.locator({json.dumps(there)}).first().waitFor()")
                picture = PICTURES / f"{view.split('/')[0] or 'overview'}-{width}-{scheme}-{language[:2]}.png"
                browser.do(f"await page.screenshot({{path: {json.dumps(str(picture))}}})")
                assert browser.do("return await page.evaluate(() => "
                                  "document.documentElement.scrollWidth - document.documentElement.clientWidth)") <= 0
                assert browser.do(CONTRAST) == []
                assert browser.do(NAMELESS) == []
            # By keyboard alone: the first stop leads past the navigation.
            browser.do("await page.reload(); await page.keyboard.press('Tab')")
            assert browser.do("return await page.evaluate(() => document.activeElement.className)") == "skip"
            assert browser.do("return state.said") == []
