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


# --- what an owner can see has words

FUNCTIONS = "".join(path.read_text() for path in sorted((worlds.TOP / "sql/functions").glob("*.sql")))
# kinds that SQL puts together, by how it writes them
BUILT = {"v_event": {"login_code", "login_otp", "step_up"}, "'reset_' || state": {"reset_requested", "reset_approved"},
         "'breakglass_' || p_event": {"breakglass_issued", "breakglass_used"}}


def arguments(call):
    """What stands between the commas of a call, but not those inside of it."""
    parts, depth = [""], 0
    for letter in call:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [" ".join(part.split()) for part in parts]


def told_kinds():
    """The kinds of events that may be in the outbox."""
    found = set()
    for call in re.findall(r"PERFORM record\((.*?)\);\n", FUNCTIONS, re.S):
        given = arguments(call)
        if len(given) > 6 and given[6] != "false":
            found |= BUILT.get(given[3]) or {given[3].strip("'")}
    return found


def shown_kinds():
    listed = re.search(r"CREATE FUNCTION activity_rows.*?e\.notify OR e\.kind IN \((.*?)\)", FUNCTIONS, re.S).group(1)
    return set(re.findall(r"'(\w+)'", listed)) | told_kinds()


def test_every_event_that_an_owner_can_see_has_words():
    script = (WEB / "activity.js").read_text()
    kinds = shown_kinds()
    assert {"codes_failing", "login_code", "reset_approved", "device_ended"} <= kinds and len(kinds) > 15
    for kind in kinds:
        assert re.fullmatch("[a-z_]+", kind), kind
        assert f'case "{kind}":' in script or f"event.{kind}" in KEYS, kind
    for key in re.findall(r'"(event\.[a-z_]+)"', script):
        assert key in KEYS, key


def test_the_operations_page_tells_a_shop_of_every_event_that_it_has_to_pass_on():
    table = (worlds.TOP / "docs/operations.md").read_text().split("## What owners are told")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.M)) == told_kinds()


# --- password managers and pasting

def test_no_field_keeps_out_pasting_or_a_password_manager_r013():
    fields = re.findall(r"<input[^>]*>", "".join(PAGES.values()))
    assert fields
    for field in fields:
        assert 'autocomplete="one-time-code"' in field and 'type="password"' not in field, field
    scripts = "".join((WEB / script).read_text() for script in ("page.js", "enroll.js", "activity.js"))
    for refusal in ("paste", "contextmenu", "beforeinput", "autocomplete", "keydown"):
        assert f'"{refusal}"' not in scripts and f"on{refusal}" not in scripts + "".join(PAGES.values())
