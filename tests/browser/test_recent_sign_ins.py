"""A customer opens the link to recent sign-ins in Chromium, sees who is in, and puts them out."""

import os

import pytest
import visitor as visitors
import world as worlds
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

SHOP = "https://shop.example/account"
PICTURES = os.environ.get("COUNTERFOIL_TEST_PICTURES")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 " \
         "Mobile/15E148 Safari/604.1"


def link_for(world, account):
    reply = world.api().post(f"/v1/accounts/{account.id}/activity-links", {"return_to": SHOP})
    assert reply.status_code == 201, reply.text
    return reply.json()["url"]


def sign_in(world, account, ip, user_agent):
    """Both steps; returns the session's id."""
    source = {"ip": ip, "user_agent": user_agent}
    reply = world.api().post(f"/v1/logins/{world.challenge(account, **source)}/code",
                             {"code": world.code(account), "source": source})
    assert reply.status_code == 200, reply.text
    world.advance(worlds.PERIOD_S)
    return reply.json()["session_id"]


def living(world, session):
    return world.query("SELECT ended_at IS NULL FROM counterfoil.session WHERE id = %s", (session,))[0][0]


def trust_a_device(world, account):
    """A trusted device as the database keeps it."""
    world.query("""
        INSERT INTO counterfoil.trusted_device (id, account_id, digest, rotated_at, user_agent, created_at, last_used_at,
            expires_at)
        VALUES (gen_random_uuid(), %s, sha256(gen_random_uuid()::text::bytea), counterfoil.now_utc(), %s,
            counterfoil.now_utc(), counterfoil.now_utc(), counterfoil.now_utc() + interval '30 days')""",
                (account.id, FIREFOX))


@pytest.fixture
def customer(world):
    """Somebody who is signed in twice, trusts a device, and whose password somebody else has tried and then found."""
    account = world.customer()
    account.sessions = [sign_in(world, account, "198.51.100.7", FIREFOX), sign_in(world, account, "2001:db8::7", IPHONE)]
    trust_a_device(world, account)
    world.api().login(account.login, "wrong horse battery staple", ip="203.0.113.9", user_agent="curl/8.1")
    world.challenge(account, ip="203.0.113.9", user_agent="<img src=/x onerror=alert(1)>")
    account.link = link_for(world, account)
    return account


def rows(browser, list_id):
    return [row.text.splitlines() for row in browser.find(list_id).find_elements(By.TAG_NAME, "li")]


def test_the_owner_sees_who_is_in_and_who_tried(world, browser, customer):
    browser.open(customer.link)
    browser.view("overview")
    assert browser.driver.current_url == world.authd.pages_url + "/activity"
    assert customer.login in browser.text()
    assert [row[0] for row in rows(browser, "sessions")] == ["Safari on iPhone, from 2001:db8::7",
                                                             "Firefox on Linux, from 198.51.100.7"]
    assert [row[0] for row in rows(browser, "devices")] == ["Firefox on Linux"]
    events = rows(browser, "events")
    assert [row[0] for row in events[:4]] == ["The password was right, but no code followed",
                                              "Sign-in failed: wrong password", "Signed in", "Signed in"]
    assert "curl/8.1, from 203.0.113.9" in events[1][1]
    assert "<img src=/x onerror=alert(1)>" in events[0][1]      # as text
    bad = [row.get_attribute("class") for row in browser.find("events").find_elements(By.TAG_NAME, "li")]
    assert bad[:4] == ["bad", "bad", "", ""]
    assert browser.driver.find_element(By.CSS_SELECTOR, "#overview [data-way-back]").get_attribute("href") == SHOP
    browser.assert_clean(world.authd.pages_url)


def test_the_owner_ends_one_session_then_a_device_then_everything_by_keyboard(world, browser, customer):
    browser.open(customer.link)
    browser.view("overview")
    buttons = browser.find("sessions").find_elements(By.TAG_NAME, "button")
    assert [button.accessible_name for button in buttons] == \
        ["Sign out Safari on iPhone, from 2001:db8::7", "Sign out Firefox on Linux, from 198.51.100.7"]
    buttons[0].send_keys(Keys.ENTER)
    worlds.wait_until(lambda: browser.run("return document.activeElement.id") == "sessions-title", "the list anew")
    worlds.wait_until(lambda: browser.find("live").text == "It is signed out.", "the word that it is signed out")
    assert [living(world, session) for session in customer.sessions] == [True, False]
    assert len(rows(browser, "sessions")) == 1
    browser.press(Keys.TAB, Keys.TAB, Keys.ENTER)       # the session that is left, then the device
    worlds.wait_until(lambda: browser.run("return document.activeElement.id") == "devices-title", "the list anew")
    assert rows(browser, "devices") == [] and browser.find("devices-none").is_displayed()
    browser.tab_to("everywhere")
    browser.press(Keys.SPACE)
    browser.view("safe")
    assert "change your password" in browser.text()
    assert [living(world, session) for session in customer.sessions] == [False, False]
    browser.assert_clean(world.authd.pages_url)


def test_reloading_shows_the_same_page_and_leaving_takes_everything_along(world, browser, customer):
    browser.open(customer.link)
    browser.view("overview")
    browser.driver.refresh()
    browser.view("overview")
    browser.run("window.addEventListener('pagehide', () => sessionStorage.setItem('left', document.body.outerHTML))")
    browser.driver.get(world.authd.pages_url + "/enroll")
    browser.view("problem")
    left = browser.run("return sessionStorage.getItem('left')")
    assert 'id="events"' in left and "198.51.100.7" not in left
    world.advance(601)
    browser.open(world.authd.pages_url + "/activity")
    browser.view("problem")
    assert browser.find("problem-title").text == "Your time on this page is over"
    assert "see your sign-ins again" in browser.find("problem-do").text


def test_links_that_are_used_or_for_another_page_say_so(world, browser, customer):
    browser.open(customer.link)
    browser.view("overview")
    browser.fresh()
    browser.open(customer.link)
    browser.view("problem")
    assert browser.find("problem-title").text == "This link was used before"
    browser.open(visitors.make_link(world, world.create_account()).replace("/enroll#", "/activity#"))
    browser.view("problem")
    assert browser.find("problem-title").text == "This link is not valid"
    browser.open(world.authd.pages_url + "/activity")
    browser.view("problem")
    assert "ask for the list of your sign-ins" in browser.find("problem-do").text


@pytest.mark.parametrize("scheme, width, zoom, touch", [("light", 1280, 4, False), ("dark", 320, 1, True)])
def test_axe_finds_nothing_and_nothing_is_cut_off(world, browser, customer, axe, tmp_path, scheme, width, zoom, touch):
    browser.look(scheme, prefers_reduced_motion="reduce")
    browser.size(width, 1024, zoom, touch)
    browser.open(customer.link)
    for view in ("overview", "safe"):
        browser.view(view)
        browser.screenshot(f"{PICTURES or tmp_path}/activity-{scheme}-{view}.png")
        assert axe.violations(browser) == []
        assert browser.overflowing() == []
        if view == "overview":
            browser.find("everywhere").click()
    browser.assert_clean(world.authd.pages_url)
