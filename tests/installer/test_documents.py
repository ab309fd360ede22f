"""The documents keep up with the code."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def direct_dependencies(*, dev: bool) -> list[str]:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *(project["optional-dependencies"]["dev"] if dev else [])]
    return [re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in wanted]


def printed_texts() -> list[str]:
    """Every text constant of the program, f-strings in pieces."""
    files = [path for folder in ("app", "animator", "installer") for path in (ROOT / folder).rglob("*.py")]
    trees = [ast.parse(path.read_text("utf-8")) for path in files]
    return [
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_every_dependency_has_its_licence_in_a_row_of_its_own() -> None:
    licences = read("docs/licences.md")

    rows = {
        match.group(1): match.group(2).strip() for match in re.finditer(r"^\| ([\w-]+) \| ([^|]+)\|", licences, re.M)
    }

    assert [name for name in direct_dependencies(dev=False) if not rows.get(name)] == []


def test_every_development_tool_is_listed_with_the_licences() -> None:
    licences = read("docs/licences.md")

    missing = [
        name for name in direct_dependencies(dev=True) if not re.search(rf"[| ]{re.escape(name)}[ ,|]", licences)
    ]

    assert missing == []


def test_every_model_has_its_licence_in_a_row() -> None:
    licences = read("docs/licences.md")

    for name in tomllib.loads(read("installer/models.toml"))["models"]:
        assert f"| `{name}` |" in licences


def test_every_message_that_troubleshooting_explains_is_really_printed() -> None:
    texts = printed_texts()
    headings = re.findall(r"^### `(.+)`$", read("docs/troubleshooting.md"), re.M)
    assert len(headings) > 20

    unknown = [
        (heading, piece)
        for heading in headings
        for piece in (part.strip(" .:;(") for part in heading.split("…"))
        if len(piece) >= 4 and not any(piece in text for text in texts)
    ]

    # What the operating system's libraries say is quoted after a colon.
    assert [pair for pair in unknown if "PortAudio" not in pair[0]] == []


def test_every_link_between_the_documents_leads_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "docs/licences.md", "docs/troubleshooting.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", read(name)):
            if not target.startswith("http"):
                assert (ROOT / name).parent.joinpath(target).exists(), f"{name} links to {target}"


def test_the_ci_runs_the_test_command_of_the_readme() -> None:
    assert "installer test --yes" in read(".ci/run")
    assert "python3 installer test" in read("README.md")
