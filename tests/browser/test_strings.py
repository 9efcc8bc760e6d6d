"""The words of the pages are in one file, so that they can be translated."""

import re

import pytest
import world as worlds

WEB = worlds.TOP / "web"
KEYS = re.findall(r'^\t"([a-z_.]+)":', (WEB / "strings.en.js").read_text(), re.M)
PAGES = {"enroll": (WEB / "enroll.html").read_text(), "activity": (WEB / "activity.html").read_text()}
NAMED = {name: set(re.findall(r'data-(?:text|alt|label)="([^"]+)"', page)) for name, page in PAGES.items()}


@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_words_of_its_own_but_those_for_browsers_without_scripts(name):
    page = re.sub(r"<noscript>.*?</noscript>|<title>.*?</title>", "", PAGES[name], flags=re.S)
    assert re.sub(r"<[^>]*>", "", page).strip() == ""
    assert not re.search(r' (alt|aria-label|title|placeholder)="[^"]+"', page)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_its_parts_relative_to_itself_so_that_a_proxy_may_put_it_under_a_path(name):
    parts = re.findall(r'(?:href|src)="([^"]+)"', PAGES[name])
    assert len(parts) == 4 and all(re.fullmatch(r"assets/[a-z.]+", part) for part in parts)
    scripts = "".join((WEB / script).read_text() for script in ("page.js", "enroll.js", "activity.js"))
    assert not re.search(r"""["'`](/\w|https?:)""", scripts)


def test_every_string_has_one_name_and_every_name_a_string():
    assert KEYS and len(KEYS) == len(set(KEYS))
    for name in PAGES:
        assert NAMED[name] <= set(KEYS), name


def test_no_string_is_there_for_nothing():
    script = "".join((WEB / name).read_text() for name in ("page.js", "enroll.js", "activity.js"))
    named = set().union(*NAMED.values())
    # problems are named by their kind, with the page's name in front of what differs; events by theirs; two by label
    for key in set(KEYS) - named:
        parts = key.removeprefix("activity.").rsplit(".", 1)
        assert f'"{key}"' in script or f'"{parts[0]}"' in script or key.startswith("event.") \
            or (key.endswith(".what") and f'"{key.removesuffix(".what")}"' in script), key


def test_no_script_puts_text_into_a_page_as_markup_r119():
    for name in ("page.js", "enroll.js", "activity.js", "strings.en.js"):
        script = (WEB / name).read_text()
        for danger in ("innerHTML =", "insertAdjacentHTML", "document.write", "eval(", "new Function", "setAttribute(\"on"):
            assert danger not in script, name
