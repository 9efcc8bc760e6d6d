"""browser.py: a headless Chromium that trusts our private authority, sees no other host, and keeps a record of what it did.

    Browser   one window: views, keys, screenshots, and the record: requests, console, CSP violations
    Axe       axe-core from the npm registry, pinned by tests/browser/package-lock.json"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import world as worlds
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

SWITCHES = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
            "--disable-default-apps", "--no-default-browser-check", "--lang=en-GB",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost")
# Before any script of a page: note what the policy refuses, which a page itself would never learn.
WATCH = """window.violations = []; addEventListener('securitypolicyviolation',
    (e) => window.violations.push(`${e.effectiveDirective}: ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));"""


class Browser:
    """Fresh profile, fresh HOME: Chromium takes its authorities from the NSS database in there."""

    def __init__(self, ca, width=1000, height=900):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="counterfoil-browser-"))
        self.downloads = self.home / "downloads"
        self.downloads.mkdir()
        self._trust(ca)
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for switch in (*SWITCHES, f"--user-data-dir={self.home}/profile", f"--window-size={width},{height}"):
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        environment = {**os.environ, "HOME": str(self.home), "TZ": "UTC"}
        try:
            self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver", env=environment))
        except Exception:
            shutil.rmtree(self.home, ignore_errors=True)
            raise
        self.driver.set_page_load_timeout(120)
        self.driver.set_script_timeout(120)
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        self.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))
        self.console, self.requests = [], []

    def _trust(self, ca):
        database = self.home / ".pki/nssdb"
        database.mkdir(parents=True)
        worlds.run("certutil", "-N", "-d", f"sql:{database}", "--empty-password")
        worlds.run("certutil", "-A", "-d", f"sql:{database}", "-n", "counterfoil", "-t", "C,,", "-i", ca)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.home, ignore_errors=True)

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def fresh(self):
        """As a person who has never been here: no cookies, no page, no record; an ordinary light window."""
        self.driver.get("about:blank")
        self.cdp("Network.clearBrowserCookies")
        self.look()
        self.cdp("Emulation.clearDeviceMetricsOverride")
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=False)
        self.read_logs()
        self.console, self.requests = [], []

    # the window

    def look(self, scheme="light", media="", **features):
        """What the person's system prefers: colours, motion; MEDIA "print" shows what a printer would get."""
        chosen = {"prefers-color-scheme": scheme, **{name.replace("_", "-"): value for name, value in features.items()}}
        self.cdp("Emulation.setEmulatedMedia", media=media,
                 features=[{"name": name, "value": value} for name, value in chosen.items()])

    def size(self, width, height, zoom=1, touch=False):
        """A window of WIDTH x HEIGHT device pixels, zoomed: 4 is 400 %."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width // zoom, height=height // zoom, deviceScaleFactor=zoom,
                 mobile=touch)
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=touch, maxTouchPoints=1)

    def screenshot(self, path):
        """The whole page, also what is below the window."""
        picture = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        pathlib.Path(path).write_bytes(base64.b64decode(picture["data"]))
        return path

    # the page

    def open(self, url):
        """Open URL as if typed; one that differs in its # alone would otherwise not be loaded."""
        self.driver.get("about:blank")
        self.driver.get(url)

    def find(self, element_id):
        return self.driver.find_element(By.ID, element_id)

    def view(self, view_id):
        """Wait for a view, and for its heading to have the focus."""
        worlds.wait_until(lambda: self.run("const v = document.getElementById(arguments[0]);"
                                           "return v && !v.hidden && v.querySelector('h1') === document.activeElement",
                                           view_id), f"the view {view_id}; there is: {self.text()}")
        return self.find(view_id)

    def current_view(self):
        return self.run("return document.querySelector('[data-view]:not([hidden])')?.id")

    def text(self):
        return self.run("return document.body.innerText")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def markup(self):
        """Everything that the page holds: shown, hidden, in attributes and in fields."""
        return self.run("return document.documentElement.outerHTML + "
                        "[...document.querySelectorAll('input')].map((i) => i.value).join()")

    def overflowing(self):
        """What reaches over the sides of the window, and controls too small for a finger (44 pixels)."""
        return self.run("""
            const seen = [...document.querySelectorAll('main *, header *')].filter((e) => e.getClientRects().length);
            const box = (e) => e.getBoundingClientRect();
            const wide = document.documentElement.scrollWidth > innerWidth ? ['the page itself'] : [];
            return wide.concat(seen.filter((e) => box(e).right > innerWidth + 0.5 || box(e).left < -0.5
                || (e.matches('button, a, input') && box(e).height < 44)).map((e) => e.outerHTML.slice(0, 80)));""")

    def press(self, *keys):
        chain = ActionChains(self.driver)
        for key in keys:
            chain.send_keys(key)
        chain.perform()

    def tab_to(self, element_id, limit=30):
        """Press Tab until the element has the focus; it must then show it."""
        for _ in range(limit):
            self.press(Keys.TAB)
            if self.run("return document.activeElement.id") == element_id:
                style = self.run("const s = getComputedStyle(document.activeElement);"
                                 "return [s.outlineStyle, parseFloat(s.outlineWidth)]")
                assert style[0] != "none" and style[1] >= 2, f"{element_id} does not show its focus"
                return
        raise AssertionError(f"{element_id} cannot be reached with the Tab key")

    # the record

    def read_logs(self):
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
        self.console += [entry for entry in self.driver.get_log("browser")
                         if entry["source"] != "network" and entry["level"] != "INFO"]

    def assert_clean(self, origin):
        """Nothing was refused by the policy, nothing complained, and nobody but ORIGIN was asked for anything."""
        violations = self.run("return window.violations")
        assert violations == [], violations
        self.read_logs()
        assert self.console == [], self.console
        asked = [url for url in self.requests if not url.startswith(("data:", "about:", "blob:" + origin))]
        assert asked and all(url.startswith(origin + "/") for url in asked), asked


class Axe:
    """axe-core, installed below build/ by its lock file."""

    def __init__(self):
        folder = worlds.TOP / "build/dev/browser"
        folder.mkdir(parents=True, exist_ok=True)
        pinned = worlds.TOP / "tests/browser/package-lock.json"
        script = folder / "node_modules/axe-core/axe.min.js"
        if not script.exists() or (folder / pinned.name).read_bytes() != pinned.read_bytes():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(worlds.TOP / "tests/browser" / name, folder / name)
            worlds.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=5",
                       cwd=folder, timeout=600)
        self.script = script.read_text(encoding="utf-8")

    def violations(self, browser):
        """Every rule that the page breaks, as short lines."""
        browser.run(self.script)
        result = browser.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document).then((r) => done(r.violations), (e) => done([{id: String(e), impact: '', nodes: []}]));")
        return [f"{found['impact']}: {found['id']}: {node.get('target')} {node.get('failureSummary')}"
                for found in result for node in found["nodes"] or [{}]]


def decode_qr(picture):
    """The text of the QR code on a PNG."""
    done = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(picture)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"zbarimg sees no code: {done.stderr}"
    return done.stdout.rstrip("\n")
