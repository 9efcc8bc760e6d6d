"""The manual says what the module does: its tables are held against the module's own."""

import re

import pam_world
import world as worlds


def table(which):
    return worlds.run(pam_world.BUILT / "pam_tables", which).splitlines()


def manual(name):
    return (worlds.TOP / "docs/man" / f"{name}.in").read_text()


def test_the_manual_has_every_return_code_of_the_table_and_no_other():
    block = re.search(r"\.ft CR\n(.*?)\.ft\n", manual("pam_counterfoil.8"), re.DOTALL)[1]
    assert sorted(" ".join(line.split()) for line in block.splitlines()) == sorted(table("answers"))


def has_key(text, line):
    name, initial, low, high, summary = line.split("\t")
    name = name.split()[-1]
    shown = rf'\.B {name}\\fR = \\fI"?{re.escape(initial)}"?\n' if initial else rf"\.B {name}\n"
    assert re.search(shown + re.escape(summary), text), name
    if high != "0":
        assert f"{summary} {low} to {high}." in text, name


def test_the_manual_has_every_key_with_its_default_and_its_range():
    text = manual("pam_counterfoil.conf.5").replace("\\-", "-")
    for line in table("keys"):
        has_key(text, line)


def test_the_manual_has_every_key_of_the_helper_alone_in_its_section():
    text = (worlds.OBJ / "docs/man/pam_counterfoil.conf.5").read_text().replace("\\-", "-")
    sections = dict(re.findall(r"^\.SS \[(\w+)\]\n(.*?)(?=^\.S)", text, re.DOTALL | re.MULTILINE))
    lines = table("helper")
    for line in lines:
        has_key(sections[re.match(r"\[(\w+)\]", line)[1]], line)
    assert sum(section.count("\n.B ") for section in sections.values()) >= len(lines)


def test_the_configuration_that_is_shipped_names_every_setting_of_the_service():
    text = (worlds.TOP / "packaging/pam/pam-helper.conf").read_text()
    known = [re.match(r"\[authd\] (\w+)\t", line) for line in table("helper")]
    assert re.findall(r"^#(\w+) = ", text.split("[authd]")[1], re.MULTILINE) == [match[1] for match in known if match]


def test_the_manual_names_every_option_of_the_pam_line():
    options = re.findall(r'^\t\{ "(\w+=?)", offsetof', (worlds.TOP / "pam_module/options.c").read_text(), re.MULTILINE)
    assert len(options) == 7
    for option in options:
        assert re.search(rf"\.BI? {option}( |\n)", manual("pam_counterfoil.8")), option


def test_the_guide_for_a_fleet_names_every_stack_and_only_settings_and_reasons_that_exist():
    text = manual("counterfoil-pam.8").replace("\\-", "-")
    for stack in (worlds.TOP / "packaging/pam.d").iterdir():
        assert re.search(rf"^\.BR? {stack.name}( ,)?$", text, re.MULTILINE), stack.name
    keys = {line.split("\t")[0] for line in table("keys")}
    named = set(re.findall(r"^(?:\.BR? )?\"?(\w+) = ", text, re.MULTILINE))
    assert len(named) >= 5 and named <= keys, named - keys
    reasons = {line.split()[-1] for line in table("answers")}
    block = re.search(r"\.ft CR\n(.*?)\.ft\n", text, re.DOTALL)[1]
    told = {line.split()[0] for line in block.splitlines()}
    assert told >= {"unavailable", "misconfigured"} and told <= reasons, told - reasons
