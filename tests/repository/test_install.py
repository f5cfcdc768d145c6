"""The set-up script: what can be tested without running it."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from support import ROOT
from support.skips import missing_if

SCRIPTS = [ROOT / "make_install.sh", ROOT / ".ci" / "run"]

pytestmark = missing_if(not shutil.which("bash"), "bash")


def bash(*arguments, **options) -> subprocess.CompletedProcess[str]:
    command = ["bash", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_executable_and_parse(script):
    assert os.access(script, os.X_OK)
    done = bash("-n", script)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_from_any_folder_and_through_a_link(tmp_path, option):
    link = tmp_path / "install"
    link.symlink_to(SCRIPTS[0])
    done = bash(link, option, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("usage: bash make_install.sh", "--core", "--test", "PYTHON", "MTCNN_TORCH"):
        assert word in done.stdout
    assert sorted(tmp_path.iterdir()) == [link]


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--test", "extra"], ["--core", "-x"]])
def test_unknown_option(arguments):
    done = bash(SCRIPTS[0], *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"make_install.sh: {arguments[-1]}: no such option; try --help\n"


@pytest.mark.parametrize("in_the_way", ["build", "build/install.log"])
def test_a_folder_that_cannot_be_written_to(tmp_path, in_the_way):
    """Read-only, for example; here something else has the name."""
    script = tmp_path / "make_install.sh"
    shutil.copy(SCRIPTS[0], script)
    if in_the_way == "build":
        (tmp_path / "build").touch()
    else:
        (tmp_path / in_the_way).mkdir(parents=True)
    done = bash(script)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"make_install.sh: {tmp_path}: cannot be written to, and everything is made in it; "
        "copy the project to a folder of yours\n"
    )


@pytest.mark.parametrize("compiler", [None, "#!/bin/sh\nexit 1\n"])
@pytest.mark.parametrize("named", [False, True])
def test_without_a_c_compiler(tmp_path, compiler, named):
    """None, or one without the C library's files; CC is set by pip."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("cmake", "make"):
        if path := shutil.which(tool):
            (tools / tool).symlink_to(path)
    if compiler:
        (tools / "cc").write_text(compiler)
        (tools / "cc").chmod(0o755)
    environment = {"PATH": str(tools), **({"CC": "cc -O2"} if named else {})}
    done = subprocess.run(
        ["cmake", "-S", ROOT, "-B", tmp_path / "made"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "no C compiler that works was found; install one" in " ".join(done.stderr.split())
