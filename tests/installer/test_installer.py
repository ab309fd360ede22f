"""`python installer`: knows what is done, asks for no more than needed, and says what to do when it cannot go on."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from installer import checks, cli, environment, system
from installer.console import ExitCode
from installer.environment import Environment, torch_arguments, torch_requirement

ROOT = Path(__file__).resolve().parents[2]


def run_installer(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "installer"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with a difficult name that holds a pyproject.toml and an environment that pip works in."""
    root = tmp_path / "пробел カ dir"
    root.mkdir()
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["numpy", "torch==9.9.9"]\n', "utf-8")
    return root


def link_python(made: Environment) -> None:
    made.python.parent.mkdir(parents=True, exist_ok=True)
    made.python.symlink_to(sys.executable)


class FilledEnvironment(Environment):
    """An environment whose pip only writes down what it is asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[tuple[str, ...]] = []

    def _create(self) -> None:
        if not self.python.exists():
            link_python(self)

    def _pip(self, *arguments: str) -> None:
        self.asked.append(arguments)

    def _build_offered(self, arguments: Sequence[str]) -> str:
        return "9.9.9+cpu"


def test_an_old_python_can_read_the_entry_point_and_is_told_what_to_do() -> None:
    """Python 2.7 and 3.4 must get the sentence, not a SyntaxError."""
    source = (ROOT / "installer" / "__main__.py").read_text("utf-8")

    tree = ast.parse(source, feature_version=(3, 4))

    kinds = {type(node) for node in ast.walk(tree)}
    assert not kinds & {ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef, ast.Match}
    first_check = next(node for node in tree.body if isinstance(node, ast.If))
    own_imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert all(node.lineno > first_check.lineno for node in own_imports)
    assert source.isascii()
    pretend = f"import sys; sys.version_info = (3, 8, 1); sys.argv = ['installer']; exec({source!r})"
    done = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.PYTHON_TOO_OLD
    assert "needs Python 3.11 or newer; this is Python 3.8" in done.stderr


def test_the_installer_needs_only_the_standard_library() -> None:
    for path in (ROOT / "installer").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                top = name.split(".")[0]
                assert top == "installer" or top in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_wrong_words_are_refused_with_exit_code_2() -> None:
    done = run_installer("reinstall")

    assert (done.returncode, "invalid choice" in done.stderr) == (ExitCode.USAGE, True)


def test_help_names_every_verb_from_any_folder(tmp_path: Path) -> None:
    done = run_installer("--help", cwd=tmp_path)

    assert done.returncode == 0
    for verb in ("setup", "run ARGS", "test ARGS", "--offline", "--yes"):
        assert verb in done.stdout


@pytest.mark.parametrize(
    ("words", "verb", "yes", "rest"),
    [
        ([], "open", False, []),
        (["setup", "--yes"], "setup", True, []),
        (["test", "--yes", "-k", "mouth", "tests/app"], "test", True, ["-k", "mouth", "tests/app"]),
        (["-y", "run", "say", "--yes", "test"], "run", True, ["say", "--yes", "test"]),
        (["run"], "run", False, []),
        (["test", "run"], "test", False, ["run"]),
    ],
)
def test_what_follows_the_verb_is_passed_on(words: list[str], verb: str, yes: bool, rest: list[str]) -> None:
    options, passed = cli.parse(words)

    assert (options.verb, options.yes, passed) == (verb, yes, rest)


def test_offline_without_a_setup_stops_with_its_own_exit_code(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "ROOT", checkout)

    assert cli.main(["--offline"]) == ExitCode.NEEDS_NETWORK

    assert "python installer setup" in capsys.readouterr().err
    assert not (checkout / ".venv").exists()


def test_control_c_gives_one_line(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "ROOT", checkout)
    monkeypatch.setattr(cli.system, "ensure", interrupt)

    assert cli.main(["setup"]) == ExitCode.INTERRUPTED

    assert capsys.readouterr().err.strip().splitlines() == [
        "Stopped. Start again with the same command: it goes on where it was."
    ]


def test_a_filled_environment_is_known_to_be_ready(checkout: Path) -> None:
    made = FilledEnvironment(checkout)
    assert not made.is_ready(dev=False)

    made.fill(dev=False)

    assert made.asked == [("torch==9.9.9",), ("--only-binary=:all:", "--editable", ".")]
    assert Environment(checkout).is_ready(dev=False)
    assert not Environment(checkout).is_ready(dev=True)


def test_what_the_tests_need_is_kept_when_the_project_changes(checkout: Path) -> None:
    FilledEnvironment(checkout).fill(dev=True)
    text = (checkout / "pyproject.toml").read_text("utf-8")
    (checkout / "pyproject.toml").write_text(text + "# another dependency\n", "utf-8")
    changed = FilledEnvironment(checkout)
    assert not changed.is_ready(dev=False)

    changed.fill(dev=False)

    assert changed.asked[-1][-1] == ".[dev]"
    assert changed.is_ready(dev=True)


def test_an_interrupted_setup_is_not_taken_for_a_finished_one(checkout: Path) -> None:
    FilledEnvironment(checkout).fill(dev=False)
    text = (checkout / "pyproject.toml").read_text("utf-8")

    class Interrupted(FilledEnvironment):
        def _pip(self, *arguments: str) -> None:
            raise KeyboardInterrupt

    (checkout / "pyproject.toml").write_text(text + "# changed\n", "utf-8")
    with pytest.raises(KeyboardInterrupt):
        Interrupted(checkout).fill(dev=False)
    (checkout / "pyproject.toml").write_text(text, "utf-8")

    assert not Environment(checkout).is_ready(dev=False)


def test_a_moved_checkout_or_another_python_is_set_up_again(checkout: Path, tmp_path: Path) -> None:
    FilledEnvironment(checkout).fill(dev=False)
    moved = checkout.rename(tmp_path / "elsewhere")
    assert not Environment(moved).is_ready(dev=False)
    back = moved.rename(checkout)
    assert Environment(back).is_ready(dev=False)

    Environment(back).python.unlink()
    assert not Environment(back).is_ready(dev=False)
    Environment(back).python.symlink_to("/bin/sh" if os.name == "posix" else sys.executable)
    assert not Environment(back).is_ready(dev=False)


def test_a_half_made_environment_is_made_anew(checkout: Path) -> None:
    """Interrupted between the link to Python and pip: there is a python, but nothing in it."""
    made = Environment(checkout)
    made.python.parent.mkdir(parents=True)
    made.python.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    made.python.chmod(0o755)

    made._create()

    assert made._ask("import pip; print('pip')") == "pip"
    assert made._ask("import sys; print(sys.prefix)") == str(made.folder)


def test_the_torch_of_the_project_is_pinned() -> None:
    assert torch_requirement(ROOT / "pyproject.toml") == "torch==2.13.0"


def offers(**builds: str) -> environment.Callable[[Sequence[str]], str]:
    """What pip would install, by whether PyTorch's own index is among the arguments."""

    def answer(arguments: Sequence[str]) -> str:
        return builds["pytorch"] if environment.TORCH_CPU_INDEX in arguments else builds["configured"]

    return answer


def test_without_a_gpu_a_cpu_build_is_taken_where_there_is_one() -> None:
    own = offers(configured="2.13.0+cpu", pytorch="never asked")
    index = offers(configured="2.13.0", pytorch="2.13.0+cpu")

    assert torch_arguments("torch==2.13.0", own, nvidia=False, system="linux") == []
    assert torch_arguments("torch==2.13.0", index, nvidia=False, system="linux") == [
        "--extra-index-url",
        environment.TORCH_CPU_INDEX,
    ]


def test_without_a_reachable_cpu_build_the_size_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert torch_arguments("torch==2.13.0", offers(configured="2.13.0", pytorch=""), nvidia=False, system="linux") == []
    assert "3 GB" in capsys.readouterr().err


@pytest.mark.parametrize(("nvidia", "name"), [(True, "linux"), (False, "darwin"), (False, "win32")])
def test_with_a_gpu_or_off_linux_pip_decides_alone(nvidia: bool, name: str) -> None:
    def never(arguments: Sequence[str]) -> str:
        raise AssertionError("pip was asked")

    assert torch_arguments("torch==2.13.0", never, nvidia, name) == []


def test_missing_packages_are_those_neither_installed_nor_provided() -> None:
    dpkg_status = (
        "ii |libegl1|\n"
        "rc |libgl1|\n"
        "ii |libglib2.0-0t64|libglib2.0-0 (= 2.80.0-6), libsomething\n"
        "ii |libxcb1:amd64|\n"
        "un |xvfb|\n"
    )

    missing = system.missing_packages(["libegl1", "libgl1", "libglib2.0-0", "xvfb"], dpkg_status)

    assert missing == ["libgl1", "xvfb"]


@pytest.mark.parametrize(
    ("os_release", "family"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "debian"),
        ("ID=ubuntu\nID_LIKE=debian\n", "debian"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "debian"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "fedora"),
        ("ID=manjaro\nID_LIKE=arch\n", "arch"),
        ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', "suse"),
        ("ID=nixos\n", ""),
    ],
)
def test_the_distribution_is_known_by_its_family(os_release: str, family: str) -> None:
    assert system.distribution_family(os_release) == family


def test_without_a_terminal_and_without_yes_the_command_is_printed_and_nothing_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(system, "DEBIAN_RUNTIME", ["no-such-library-at-all"])
    monkeypatch.setattr(system.subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 0, "", ""))
    monkeypatch.setattr(system.os, "geteuid", lambda: 0)
    monkeypatch.setattr(system.sys.stdin, "isatty", lambda: False, raising=False)
    monkeypatch.setattr(system, "_apt_install", lambda *a: pytest.fail("installed without consent"))

    system._ensure_debian(dev=False, yes=False, offline=False)

    assert "sudo apt-get install no-such-library-at-all" in capsys.readouterr().err


def test_a_program_that_only_some_tests_need_may_be_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def install(packages: Sequence[str], prefix: Sequence[str]) -> bool:
        asked.extend(packages)
        return packages != ["chromium"]

    monkeypatch.setattr(system, "_apt_install", install)

    system._ensure_viewers(["obs-studio", "chromium"], root=True, may_install=True)
    said = capsys.readouterr().out
    system._ensure_viewers(["obs-studio"], root=True, may_install=False)

    assert ["obs-studio", "chromium"] == asked
    assert "skipped: chromium\n" in said
    assert "skipped: obs-studio\n" in capsys.readouterr().out


def test_tests_open_real_windows_in_a_virtual_x_server_where_there_is_one(checkout: Path) -> None:
    made = Environment(checkout)

    with_server = checks.pytest_command(made, ["-k", "mouth"], "/usr/bin/xvfb-run")

    assert with_server[:2] == ["/usr/bin/xvfb-run", "-a"]
    assert with_server[-3:] == ["pytest", "-k", "mouth"]
    assert checks.pytest_command(made, [], None)[0] == str(made.python)
    assert checks.pytest_variables("/usr/bin/xvfb-run", {})["QT_QPA_PLATFORM"] == "xcb"
    assert checks.pytest_variables(None, {"A": "1"}) == {"A": "1", "QT_QPA_PLATFORM": "offscreen"}


def test_a_failed_linter_fails_the_whole_but_the_tests_still_run(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
        line = " ".join(command)
        ran.append(line)
        return subprocess.CompletedProcess(command, int("ruff check" in line))

    monkeypatch.setattr(checks.subprocess, "run", run)

    assert checks.run_checks(Environment(checkout), ["-x"]) == ExitCode.FAILED
    assert len(ran) == 5
    assert ran[-1].endswith("pytest -x")
    assert capsys.readouterr().out.strip().endswith("Failed: ruff check")
