"""A customer opens an enrollment link in Chromium and leaves with an authenticator and recovery codes."""

import os
import re

import browser as browsers
import pytest
import visitor as visitors
import world as worlds
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

SHOP = "https://shop.example/account"
PICTURES = os.environ.get("COUNTERFOIL_TEST_PICTURES")  # a folder: every view is left there to be looked at


@pytest.fixture
def customer(world):
    """An account that has asked for its link."""
    account = world.create_account()
    account.link = visitors.make_link(world, account, return_to=SHOP)
    return account


def picture(browser, name, folder):
    return browser.screenshot(f"{PICTURES or folder}/{name}.png")


def begin(browser, customer):
    """Up to the secret; returns it."""
    browser.open(customer.link)
    browser.view("intro")
    browser.find("begin").click()
    browser.view("bind")
    customer.seed = browser.find("secret").text.replace(" ", "").replace("\n", "")
    return customer.seed


def type_code(browser, code):
    browser.find("code").clear()
    browser.find("code").send_keys(code)
    browser.find("confirm-button").click()


def codes_on(browser):
    return [item.text for item in browser.find("code-list").find_elements(By.TAG_NAME, "li")]


def enrol(browser, world, customer):
    """Up to the recovery codes; returns them."""
    type_code(browser, worlds.totp(begin(browser, customer), world.now_s()))
    browser.view("codes")
    return codes_on(browser)


def leave(browser, action):
    """Leave or reload a page that asks whether one is sure: yes."""
    action()
    try:
        browser.driver.switch_to.alert.accept()
    except NoAlertPresentException:
        pass


# --- the whole way --------------------------------------------------------------------------------------------------

def test_the_picture_says_what_the_text_says_and_the_code_brings_recovery_codes_r125(world, browser, customer, tmp_path):
    secret = begin(browser, customer)
    assert re.fullmatch(r"[A-Z2-7]{32}", secret)
    assert browser.driver.current_url == world.authd.pages_url + "/enroll"
    uri = browsers.decode_qr(picture(browser, "secret", tmp_path))
    assert uri.startswith("otpauth://totp/Lantern%20Shop:") and f"?secret={secret}&issuer=Lantern%20Shop&" in uri
    assert uri == browser.find("open-app").get_attribute("href")
    assert [group.text for group in browser.find("secret").find_elements(By.TAG_NAME, "span")] == \
        [secret[at:at + 4] for at in range(0, 32, 4)]
    field = browser.find("code")
    assert field.accessible_name == "Six-digit code"
    assert (field.get_attribute("autocomplete"), field.get_attribute("inputmode")) == ("one-time-code", "numeric")
    code = worlds.totp(secret, world.now_s())
    type_code(browser, f"{code[:3]} {code[3:]}")
    browser.view("codes")
    codes = codes_on(browser)
    assert len(set(codes)) == 10 and all(re.fullmatch(r"([A-Z2-7]{4}-){5}[A-Z2-7]{4}", one) for one in codes)
    assert secret not in browser.markup()
    browser.find("saved").click()
    browser.view("done")
    assert browser.find("done-back").get_attribute("href") == SHOP
    assert not any(one in browser.markup() for one in codes)
    browser.assert_clean(world.authd.pages_url)
    world.advance(worlds.PERIOD_S)
    assert world.sign_in(customer, code=codes[3]).status_code == 200
    assert world.sign_in(customer).status_code == 200


def test_nothing_is_left_in_the_browser_r121(world, browser, customer):
    codes = enrol(browser, world, customer)
    left = browser.run("return JSON.stringify([localStorage, sessionStorage, document.cookie, history.state, "
                       "performance.getEntriesByType('resource').map((e) => e.name), location.href])")
    token = visitors.token_of(customer.link)
    for private in (customer.seed, token, customer.login, *codes):
        assert private not in left
    assert browser.run("return document.cookie") == ""
    browser.read_logs()
    assert not any(token in url for url in browser.requests if not url.startswith(customer.link))


def test_a_customer_with_an_app_proves_it_and_adds_another(world, browser, axe, tmp_path):
    account = world.customer()
    browser.open(visitors.make_link(world, account))
    browser.view("intro")
    assert browser.driver.title.startswith("Add another app")
    field = browser.find("proof")
    assert field.is_displayed() and field.accessible_name == "Code from the app that you have"
    browser.tab_to("proof")
    browser.press(Keys.ENTER)
    worlds.wait_until(lambda: "six digits" in browser.find("proof-error").text, "the word that a code is missing")
    browser.press(f"{(int(world.code(account)) + 1) % 1000000:06d}", Keys.ENTER)
    worlds.wait_until(lambda: "not right" in browser.find("proof-error").text, "the word that the code is wrong")
    assert field.get_attribute("aria-invalid") == "true" and field == browser.driver.switch_to.active_element
    picture(browser, "proof", tmp_path)
    assert axe.violations(browser) == []
    browser.press(world.code(account), Keys.ENTER)      # the wrong one is selected
    browser.view("bind")
    secret = browser.find("secret").text.replace(" ", "").replace("\n", "")
    assert secret != account.seed
    type_code(browser, worlds.totp(secret, world.now_s()))
    browser.view("done")                    # the recovery codes that there are stay good
    assert not browser.find("done-codes").is_displayed()
    browser.assert_clean(world.authd.pages_url)


# --- shown once -----------------------------------------------------------------------------------------------------

def test_reloading_and_going_back_show_no_secret_and_go_on_at_the_code_r040(world, browser, customer):
    secret = begin(browser, customer)
    browser.driver.refresh()
    browser.view("bind")
    assert "not shown again" in browser.text() and "ask Lantern Shop for a new link" in browser.text()
    assert secret not in browser.markup() and browser.find("qr").get_attribute("src") is None
    browser.driver.get("about:blank")
    browser.driver.back()
    browser.view("bind")
    assert secret not in browser.markup() and not browser.find("qr").is_displayed()
    type_code(browser, worlds.totp(secret, world.now_s()))
    browser.view("codes")
    browser.assert_clean(world.authd.pages_url)


def test_leaving_takes_the_secret_off_the_page_before_the_browser_can_keep_it(world, browser, customer):
    secret = begin(browser, customer)
    browser.run("window.addEventListener('pagehide', () => sessionStorage.setItem('left', document.body.outerHTML))")
    browser.driver.get(world.authd.pages_url + "/enroll")
    browser.view("bind")
    left = browser.run("return sessionStorage.getItem('left')")
    assert 'id="secret"' in left and secret not in left and "otpauth" not in left and "data:image" not in left


def test_recovery_codes_are_gone_after_a_reload_and_the_page_says_so(world, browser, customer):
    codes = enrol(browser, world, customer)
    leave(browser, browser.driver.refresh)
    browser.view("done")
    assert "not shown again" in browser.find("done-codes").text
    assert browser.find("done-back").get_attribute("href") == SHOP
    assert not any(one in browser.markup() for one in codes)
    leave(browser, lambda: browser.driver.get("about:blank"))
    browser.driver.back()
    browser.view("done")
    assert not any(one in browser.markup() for one in codes)


def test_a_second_window_shows_no_second_secret(world, browser, customer):
    secret = begin(browser, customer)
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    try:
        browser.driver.get(world.authd.pages_url + "/enroll")
        browser.view("bind")
        assert secret not in browser.markup()
    finally:
        browser.driver.close()
        browser.driver.switch_to.window(first)
    type_code(browser, worlds.totp(secret, world.now_s()))
    browser.view("codes")


# --- saving the codes -----------------------------------------------------------------------------------------------

def test_recovery_codes_can_be_copied_downloaded_and_printed(world, browser, customer):
    codes = enrol(browser, world, customer)
    browser.cdp("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
                origin=world.authd.pages_url)
    browser.find("copy-codes").click()
    worlds.wait_until(lambda: "copied" in browser.find("live").text, "the word that the codes are copied")
    copied = browser.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied.splitlines() == codes
    browser.find("download-codes").click()
    saved = browser.downloads / "recovery-codes.txt"
    worlds.wait_until(saved.exists, "the download")
    lines = worlds.wait_until(lambda: saved.read_text().splitlines(), "the file's content")
    assert lines[0] == f"Recovery codes for {customer.login} at Lantern Shop" and lines[-10:] == codes
    saved.unlink()
    browser.run("window.print = () => { window.printed = true; }")
    browser.find("print-codes").click()
    assert browser.run("return window.printed")
    browser.look(media="print")
    assert codes_on(browser) == codes and customer.login in browser.text()
    assert not browser.find("saved").is_displayed() and not browser.find("print-codes").is_displayed()
    browser.assert_clean(world.authd.pages_url)


def test_where_copying_is_forbidden_the_codes_are_selected_and_the_person_is_told(world, browser, customer):
    codes = enrol(browser, world, customer)
    browser.run("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))")
    browser.find("copy-codes").click()
    worlds.wait_until(lambda: "Copying did not work" in browser.find("live").text, "the word that copying failed")
    assert all(one in browser.run("return getSelection().toString()") for one in codes)


# --- codes that are not right ---------------------------------------------------------------------------------------

def test_a_wrong_code_is_told_at_the_field_and_the_right_one_still_works(world, browser, customer):
    secret = begin(browser, customer)
    for typed, told in (("12345", "six digits"), ("abcdef", "six digits"), ("", "six digits"),
                        (f"{(int(worlds.totp(secret, world.now_s())) + 1) % 1000000:06d}", "not right")):
        type_code(browser, typed)
        worlds.wait_until(lambda t=told: t in browser.find("code-error").text, "the word that the code is wrong")
        field = browser.find("code")
        assert field.get_attribute("aria-invalid") == "true" and field == browser.driver.switch_to.active_element
        assert "code-error" in field.get_attribute("aria-describedby")
        assert browser.find("code-error").get_attribute("role") == "alert"
    type_code(browser, worlds.totp(secret, world.now_s()))
    browser.view("codes")


def test_after_too_many_wrong_codes_the_page_says_how_long_to_wait(world, browser, customer):
    secret = begin(browser, customer)
    for _ in range(20):
        type_code(browser, f"{(int(worlds.totp(secret, world.now_s())) + 1) % 1000000:06d}")
        told = worlds.wait_until(lambda: browser.find("confirm-button").get_attribute("aria-disabled") is None
                                 and browser.find("code-error").text, "an answer")
        if "not right" not in told:
            break
    assert re.search(r"Too many tries. You can try again in [1-9][0-9]* (seconds\.|minutes, or ask Lantern Shop for a new link)", told)


# --- links that do not work -----------------------------------------------------------------------------------------

def problem(browser):
    browser.view("problem")
    return browser.find("problem-title").text, browser.find("problem-do").text


def test_a_used_link_says_so_and_offers_the_open_page_to_its_own_browser_alone(world, browser, customer):
    begin(browser, customer)
    browser.open(customer.link)
    title, advice = problem(browser)
    assert title == "This link was used before" and "Ask Lantern Shop for a new link" in advice
    browser.find("problem-retry").click()
    browser.view("bind")
    browser.fresh()
    browser.open(customer.link)
    title, advice = problem(browser)
    assert title == "This link was used before" and "for a new link" in advice
    assert not browser.find("problem-retry").is_displayed()
    browser.assert_clean(world.authd.pages_url)


def test_an_expired_link_says_so(world, browser, customer):
    world.advance(601)
    browser.open(customer.link)
    assert problem(browser) == ("This link has expired", "Ask the shop for a new link, and open it soon. "
                                                         "Your account is as it was.")
    assert browser.driver.current_url == world.authd.pages_url + "/enroll"


@pytest.mark.parametrize("change", [lambda link: link[:-1], lambda link: link[:-1] + ("A" if link[-1] != "A" else "Q"),
                                    lambda link: link + "x", lambda link: link + "#<script>alert(1)</script>"])
def test_a_wrong_link_says_so(browser, customer, change):
    browser.open(change(customer.link))
    title, advice = problem(browser)
    assert title == "This link is not valid" and "from its first character to its last" in advice


def test_without_a_link_the_page_says_where_to_get_one(world, browser):
    browser.open(world.authd.pages_url + "/enroll")
    title, advice = problem(browser)
    assert title == "This page needs a link" and "ask for a link" in advice


def test_the_secret_goes_when_its_time_is_over(world, browser, customer):
    begin(browser, customer)
    world.advance(598)                      # the page began less than two seconds ago
    browser.driver.refresh()
    worlds.wait_until(lambda: browser.current_view() == "problem", "the end of the page's time")
    assert browser.find("problem-title").text == "Your time on this page is over"


def test_a_page_opened_anew_with_another_link_takes_that_one(world, browser, customer):
    begin(browser, customer)
    other = world.create_account()
    browser.driver.get(visitors.make_link(world, other))        # differs in its # alone
    browser.view("intro")
    assert other.login in browser.text() and customer.login not in browser.text()


def test_an_outage_loses_nothing(cluster, browser):
    made = worlds.World(cluster, "away")
    try:
        made.start()
        account = made.create_account()
        link = visitors.make_link(made, account)
        made.postgres.stop()
        browser.open(link)
        assert problem(browser)[0] == "The service does not answer"
        made.postgres.start()
        worlds.wait_until(lambda: made.authd.management("/readyz") == 200, "authd to be ready again")
        browser.find("problem-retry").click()
        browser.view("intro")
    finally:
        made.postgres.start()
        made.stop()


# --- for everybody --------------------------------------------------------------------------------------------------

def each_view(browser, world, customer):
    """Walk through every view; yields its name, once it is there."""
    browser.open(customer.link)
    browser.view("intro")
    yield "intro"
    browser.find("begin").click()
    browser.view("bind")
    secret = browser.find("secret").text.replace(" ", "").replace("\n", "")
    type_code(browser, "12")
    worlds.wait_until(lambda: browser.find("code-error").text, "the error")
    yield "bind"
    browser.driver.refresh()
    browser.view("bind")
    yield "resume"
    type_code(browser, worlds.totp(secret, world.now_s()))
    browser.view("codes")
    yield "codes"
    browser.find("saved").click()
    browser.view("done")
    yield "done"
    browser.open(customer.link)
    browser.view("problem")
    yield "used"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_view(world, browser, customer, axe, tmp_path, scheme):
    browser.look(scheme, prefers_reduced_motion="reduce")
    for view in each_view(browser, world, customer):
        picture(browser, f"{scheme}-{view}", tmp_path)
        assert axe.violations(browser) == [], view
    browser.assert_clean(world.authd.pages_url)


@pytest.mark.parametrize("width, height, zoom, touch", [(320, 640, 1, True), (1280, 1024, 4, False)])
def test_nothing_is_cut_off_at_320_pixels_or_400_percent(world, browser, customer, tmp_path, width, height, zoom, touch):
    browser.size(width, height, zoom, touch)
    for view in each_view(browser, world, customer):
        picture(browser, f"{width}x{zoom}-{view}", tmp_path)
        assert browser.overflowing() == [] and browser.run("return innerWidth") == 320, view


def test_the_picture_is_read_from_a_phone_and_from_a_dark_screen(browser, customer, world, tmp_path):
    browser.look("dark")
    browser.size(320, 640, 1, touch=True)
    secret = begin(browser, customer)
    assert f"secret={secret}&" in browsers.decode_qr(picture(browser, "dark-phone", tmp_path))


def test_the_link_into_an_app_is_there_on_a_phone_and_only_there(browser, customer):
    begin(browser, customer)
    assert not browser.find("open-app").is_displayed()
    browser.size(390, 800, 1, touch=True)
    worlds.wait_until(lambda: browser.find("open-app").is_displayed(), "the link into the app")
    assert browser.find("open-app").get_attribute("href").startswith("otpauth://totp/")


def test_the_keyboard_alone_is_enough(world, browser, customer):
    browser.open(customer.link)
    browser.view("intro")
    assert not browser.find("proof").is_displayed()
    browser.tab_to("begin")
    browser.press(Keys.ENTER)
    browser.view("bind")
    secret = browser.find("secret").text.replace(" ", "").replace("\n", "")
    browser.tab_to("copy-secret")
    browser.tab_to("code")
    browser.press(worlds.totp(secret, world.now_s()), Keys.ENTER)
    browser.view("codes")
    codes = codes_on(browser)
    for button in ("copy-codes", "download-codes", "print-codes", "saved"):
        browser.tab_to(button)
    browser.press(Keys.SPACE)
    browser.view("done")
    browser.tab_to("done-back")
    assert len(codes) == 10


def test_each_view_has_one_heading_a_title_and_words_for_every_element(world, browser, customer):
    titles = set()
    for view in each_view(browser, world, customer):
        headings = browser.run("return [...document.querySelectorAll('h1')].filter((e) => e.getClientRects().length)"
                               ".map((e) => e.textContent)")
        assert len(headings) == 1 and browser.driver.title.startswith(headings[0]), view
        titles.add(browser.driver.title)
        assert "{" not in browser.text() and "undefined" not in browser.text(), view
        empty = browser.run("return [...document.querySelectorAll('[data-text]')].filter((e) => !e.textContent)"
                            ".map((e) => e.dataset.text)")
        assert empty == [], view
    assert len(titles) == 6


def test_people_who_want_no_motion_see_none(browser, world, customer):
    browser.look(prefers_reduced_motion="reduce")
    enrol(browser, world, customer)
    browser.find("saved").click()
    browser.view("done")
    assert browser.run("return document.getAnimations().length") == 0


def test_what_people_named_themselves_is_text_and_never_markup_r119(world, browser):
    account = world.create_account("\"><img/src=x/onerror=alert(1)>@example.com")
    account.link = visitors.make_link(world, account)
    begin(browser, account)
    assert browser.run("return document.querySelectorAll('img').length") == 2
    assert account.login in browser.text()
    browser.assert_clean(world.authd.pages_url)
