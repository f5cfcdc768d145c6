"""README.md and docs/*.md are true: their code runs, their programs, options and links are there.

A page's blocks are run in order, in a copy of the repository with a picture.jpg and a video.mp4 in
it:

```sh       each command must succeed
```python   all of a page are one program: a later block knows the names of those before
```pycon    a part of that program as typed into Python, whose answers must be the ones shown
```c        is written to the file that the page's next `cc FILE.c` compiles

Commands that would take long, change the machine or want what is not there (NOT_RUN, names in
capitals such as WIDER_FACE, files that a command left out would have made) are left out; of those
and of all others that name one of our programs, the program and its options must exist. Comments
before a block say more:

<!-- not run: REASON -->      it is left out
<!-- prints: COMMAND -->      it is of COMMAND's output; `...` stands for the rest of a line
"""

from __future__ import annotations

import contextlib
import doctest
import inspect
import io
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import ROOT
from support.examples import run_examples
from support.page_blocks import PAGES, Block, blocks_of
from support.skips import PEERS, import_peer, missing

import pymtcnn
from train_mtcnn.data.landmark_sets import read_facepoint
from train_mtcnn.data.wider import read_annotations

NOT_RUN = {  # a part of a command -> why it is left out
    r"^(sudo |apt|pip |python3? -m (venv|pip)|\. |source |export |docker |ssh |scp )": (
        "changes the machine or the shell"
    ),
    r"make_install\.sh(?! --help)": "sets up the machine; .ci/run does it",
    r"^(git clone|mkdir -p darknet/)": "fetches and builds another program",
    r"^(cmake|ctest|ninja)\b|build/bench": "builds and times; make_install.sh --test builds all",
    r"-m pytest": "is what runs here",
    r"train_mtcnn/(train|train_all|prepare_data|assemble|evaluate|report)\.py(?! --help)": (
        "takes data sets and time; it has tests of its own, on tiny ones"
    ),
    r"bench/": "takes minutes",
    r"import_pretrained\.py(?! --help)": "fetches files; tests/convert/test_importers.py runs it",
    r"torchrun|tensorboard": "takes a training",
    r"pymtcnn demo(?! --help)": "serves a page until stopped; tests/python/test_demo.py does it",
    r"demo_browser": "needs a browser; tests/python/test_demo.py has one",
    r"--camera \d|video (--\w+ )*\d": "needs a camera",
}
PLACEHOLDER = re.compile(r"\[?([A-Z][A-Z_]{2,}|CNN_FacePoint|CelebA)([/.][^ ]*)?\]?")
READERS = re.compile(r"[\w-]+\.(mp4|avi|mkv|webm|mov)|/dev/video\d+|\w+://.*")  # where not there
MADE = re.compile(r"(runs|onnx|darknet_cfg)/[^ ]+")  # files that commands make

BLOCKS = [block for page in PAGES for block in blocks_of(page)]


# ---- the scratch copy ----------------------------------------------------------------------------


PARTS = (
    *(
        "bench",
        "cmake",
        "convert",
        "csrc",
        "darknet_cfg",
        "docs",
        "pymtcnn",
        "tests",
        "train_mtcnn",
    ),
    *("CMakeLists.txt", "LICENSE", "README.md", "make_install.sh", "pyproject.toml"),
)


class Scratch:
    """The copy, as the page that is read leaves it.

    Attributes
    ----------
    folder
        Where it is.
    names
        What the page's Python blocks have defined.
    """

    def __init__(self, folder: Path, program: Path | None):
        self.folder = folder
        self._page = None
        for part in PARTS:
            if (ROOT / part).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / part, folder / part, ignore=ignored)
            else:
                shutil.copy(ROOT / part, folder)
        shutil.copy(ROOT / "tests" / "data" / "grace_hopper.jpg", folder / "picture.jpg")
        _write_video(folder / "video.mp4", folder / "picture.jpg")
        (folder / "bin").mkdir()
        command = folder / "bin" / "pymtcnn"  # not the one of another installation
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pymtcnn "$@"\n')
        command.chmod(0o755)
        for name, built in (("build", ROOT / "build"), ("mtcnn", program)):
            if built is not None and built.exists():
                (folder / name).symlink_to(built)
        self._whole = set(folder.iterdir())

    def turn_to(self, page: str) -> None:
        """Take away what the page before has made at the top of the folder, and its names."""
        if page == self._page:
            return
        self._page = page
        self.names: dict = {"__name__": "__main__"}
        for made in set(self.folder.iterdir()) - self._whole:
            shutil.rmtree(made) if made.is_dir() else made.unlink()

    def run(self, command: str) -> str:
        """The output of a command, which must succeed."""
        bins = self.folder / "bin", Path(sys.executable).parent
        path = os.pathsep.join([*map(str, bins), os.environ["PATH"]])
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", command],
            cwd=self.folder,
            env=os.environ | {"PATH": path, "PYTHONPATH": str(self.folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


def _write_video(path: Path, picture: Path) -> None:
    """A second of video: the picture, moving."""
    frame = cv2.imread(str(picture))
    height, width = frame.shape[:2]
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10, (width, height))
    for step in range(10):
        video.write(np.roll(frame, 4 * step, axis=1))
    video.release()


@pytest.fixture(scope="module")
def built_program(request) -> Path | None:
    """The mtcnn program, or None where it is not built."""
    try:
        return request.getfixturevalue("program")
    except pytest.skip.Exception:
        return None


@pytest.fixture(scope="module")
def scratch(tmp_path_factory, built_program) -> Scratch:
    return Scratch(tmp_path_factory.mktemp("pages"), built_program)


# ---- our programs and their options --------------------------------------------------------------


@cache
def _python_help(script: str) -> str:
    """What a program of ours prints for --help; run here, as starting Python takes longer."""
    argv, path, text = sys.argv, sys.path[:], io.StringIO()
    sys.argv = [script, "--help"]
    try:
        with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
            runpy.run_path(str(ROOT / script), run_name="__main__")
    finally:
        sys.argv, sys.path[:] = argv, path
    return text.getvalue()


@cache
def _help(*command: str) -> str:
    done = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def check_options(command: str, program: Path | None) -> None:
    """Check that a command of ours has its program and all its options."""
    command = re.sub(r"(^|\s)#.*", "", command)
    if script := re.search(r"(?:python|torchrun.*?) ([a-z_0-9/]+\.py)\b(.*)", command):
        assert (ROOT / script[1]).is_file(), f"{script[1]} is not there"
        text, rest = _python_help(script[1]), script[2]
    elif found := re.match(r"(?:python -m )?pymtcnn( [a-z]+)?( .*|$)", command):
        words = found[1].split() if found[1] else []
        text, rest = _help(sys.executable, "-m", "pymtcnn", *words), found[2]
    elif found := re.search(r"make_install\.sh(.*)", command):
        text, rest = _help("bash", "make_install.sh"), found[1]
    elif program and (found := re.match(r"(?:[A-Z_]+=\S+ )*\./mtcnn(.*)", command)):
        text, rest = _help(str(program)), found[1]
    else:
        return
    for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", re.split(r"[|;&]", rest)[0]):
        assert re.search(rf"{option}(?![a-z-])", text), f"{option} is unknown: {command}"


def reason_not_to_run(command: str, folder: Path) -> str | None:
    """Why a command is left out; None where it is to be run."""
    command = re.sub(r"(^|\s)#.*", "", command)
    for part, reason in NOT_RUN.items():
        if re.search(part, command):
            return reason
    words = command.split()
    for before, word in zip(["", *words], words):
        out = before.startswith(("--out", "--save")) or before == ">"
        readers = READERS.fullmatch(word) and not (out or (folder / word).exists())
        if readers or PLACEHOLDER.fullmatch(word):
            return f"{word} stands for something of the reader's"
        if MADE.fullmatch(word) and not out and not list(folder.glob(word)):
            return f"{word} comes from a command that is left out"
    return None


# ---- what blocks print ---------------------------------------------------------------------------


def _known_face(boxes) -> bool:
    return bool((np.abs(np.array(boxes) - (175, 115, 350, 336)) < 40).all())


def check_readme_python(scratch: Scratch, output: str) -> None:
    assert _known_face(scratch.names["faces"].boxes[0])
    assert (scratch.folder / "faces.png").stat().st_size > 10000


def check_python_pictures(scratch: Scratch, output: str) -> None:
    assert (scratch.folder / "faces.png").stat().st_size > 10000


def check_crops(scratch: Scratch, output: str) -> None:
    assert len(list((scratch.folder / "annotated").iterdir())) == 2
    for crop in (scratch.folder / "crops").iterdir():
        assert cv2.imread(str(crop)).shape == (112, 112, 3)


def check_saved(scratch: Scratch, output: str) -> None:
    assert len((scratch.folder / "faces.jsonl").read_text().splitlines()) == 2
    assert len((scratch.folder / "table.csv").read_text().splitlines()) == 3


def check_annotated_video(scratch: Scratch, output: str) -> None:
    assert (scratch.folder / "annotated.mp4").stat().st_size > 10000
    first = json.loads((scratch.folder / "tracks.jsonl").read_text().splitlines()[0])
    assert _known_face(first["faces"][0]["box"])


def check_readme_c(scratch: Scratch, output: str) -> None:
    assert scratch.run("./faces") == "0 faces\n"


def check_darknet(scratch: Scratch, output: str) -> None:
    pnet, onet = (float(value) for value in re.findall(r"Net: (\d\.\d+)", output))
    assert pnet > 0.9 and onet > 0.9
    points = [[float(v) for v in pair] for pair in re.findall(r"(\d+)\. (\d+)\.", output)]
    known = [(224.4, 194.8), (305.2, 192.1), (269.5, 235.4), (231.2, 274.8), (306.7, 272.6)]
    assert np.abs(np.array(points) - known).max() < 8  # from ./mtcnn's: RNet is left out


def check_converting(scratch: Scratch, output: str) -> None:
    probability, *box = map(float, output.split())
    assert probability > 0.9 and _known_face(box)


CHECKS = {  # page, a part of the block -> check of what it printed and left
    ("README.md", "with Detector("): check_readme_python,
    ("README.md", "cc faces.c"): check_readme_c,
    ("docs/darknet.md", "readNetFromDarknet"): check_darknet,
    ("docs/converting.md", "InferenceSession"): check_converting,
    ("docs/python.md", "write_picture"): check_python_pictures,
    ("docs/python-command-line.md", "--crops"): check_crops,
    ("docs/python-command-line.md", "--save"): check_saved,
    ("docs/python-command-line.md", "pymtcnn video"): check_annotated_video,
}


# ---- the tests -----------------------------------------------------------------------------------


def _run_c(block: Block, scratch: Scratch) -> None:
    """Write the file that the page's next cc compiles."""
    later = [b for b in blocks_of(block.page) if b.line > block.line and b.language == "sh"]
    found = re.search(r"\bcc .*?([\w/]+\.c)\b", "\n".join(b.text for b in later))
    assert found, "no cc command after this block; or write <!-- not run: REASON --> before it"
    (scratch.folder / found[1]).write_text(block.text)


def _run_python(block: Block, scratch: Scratch, monkeypatch, capsys) -> str:
    monkeypatch.chdir(scratch.folder)
    code = compile("\n" * (block.line - 1) + block.text, str(ROOT / block.page), "exec")
    exec(code, scratch.names)
    return capsys.readouterr().out


def _run_pycon(block: Block, scratch: Scratch, monkeypatch) -> None:
    monkeypatch.chdir(scratch.folder)
    parser = doctest.DocTestParser()
    test = parser.get_doctest(block.text, {}, block.place, str(ROOT / block.page), block.line - 1)
    test.globs = scratch.names
    run_examples(test)


def _run_sh(block: Block, scratch: Scratch, program: Path | None) -> str:
    """Run the commands of a block, or check the options of those that are left out."""
    output = ""
    for command in block.commands:
        if reason_not_to_run(command, scratch.folder):
            check_options(command, program)
            continue
        for built in re.findall(r"(?<!\S)\./[\w-]+|\bbuild/libmtcnn\.\w+", command):
            if not (scratch.folder / built).exists():
                missing(f"{built}: run make_install.sh")
        output += scratch.run(command.replace("cc ", "cc -Wall -Wextra -Werror ", 1))
    return output


@pytest.mark.slow
@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if block.language and not block.mark.startswith("not run:")],
    ids=lambda block: block.place,
)
def test_code(block, scratch, built_program, monkeypatch, capsys):
    assert block.language in ("sh", "python", "pycon", "c"), "sh, python, pycon, c, or no language"
    for package in PEERS:
        if re.search(rf"\b(import |to_){package}\b", block.text):
            import_peer(package)
    if "readNetFromDarknet" in block.text and not hasattr(cv2.dnn, "readNetFromDarknet"):
        missing("OpenCV 4: 5 reads no Darknet files")
    scratch.turn_to(block.page)
    output = ""
    if block.language == "sh":
        output = _run_sh(block, scratch, built_program)
    elif block.language == "python":
        output = _run_python(block, scratch, monkeypatch, capsys)
    elif block.language == "pycon":
        _run_pycon(block, scratch, monkeypatch)
    else:
        _run_c(block, scratch)
    for (name, part), check in CHECKS.items():
        if name == block.page and part in block.text:
            check(scratch, output)


@pytest.mark.slow
@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.mark], ids=lambda block: block.place
)
def test_marked_blocks(block, scratch, built_program):
    """Blocks that are not run say why, and name programs that are there; shown output is true."""
    kind, colon, rest = block.mark.partition(": ")
    assert colon and kind in ("not run", "prints") and len(rest) > 3, block.mark
    if kind == "not run":
        for command in block.commands if block.language == "sh" else []:
            check_options(command, built_program)
        return
    scratch.turn_to(block.page)
    printed = scratch.run(rest)
    for line in block.text.splitlines():
        assert line.removesuffix("...").rstrip() in printed, line


def _headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links(page):
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text("utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), target
        assert not anchor or anchor in _headings(path), target


def test_programs_that_the_text_names():
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for name in re.findall(r"python ([a-z_0-9/]+\.py)", text):
            assert (ROOT / name).is_file(), f"{page}: {name}"


def test_annotations_that_the_training_page_shows(tmp_path):
    shown = [b.text for b in blocks_of("docs/training.md") if b.text.startswith("mine/")]
    files = tmp_path / "wider_face_train_bbx_gt.txt", tmp_path / "trainImageList.txt"
    for file, text in zip(files, shown, strict=True):
        file.write_text(text)
    (annotation,) = read_annotations(files[0])
    assert len(annotation.boxes) == 2 and not annotation.attributes.any()
    (face,) = read_facepoint(files[1]).faces
    assert face.path == "mine/b.jpg" and face.points[0].tolist() == [106.25, 107.75]


def test_index_has_every_page():
    linked = re.findall(r"\]\(([^)#]+\.md)", (ROOT / "docs" / "index.md").read_text("utf-8"))
    missing = {Path(page).name for page in PAGES if page.startswith("docs/")} - set(linked)
    assert missing == {"index.md"}


def test_python_page_names_all_that_is_public():
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    names = set(pymtcnn.__all__)
    for name in pymtcnn.__all__:
        value = getattr(pymtcnn, name)
        if inspect.isclass(value):
            names |= {name for name in vars(value) if not name.startswith("_")}
    missing = {name for name in names if not re.search(rf"\b{name}\b", page)}
    assert missing == set()


def test_every_image_is_shown_and_small():
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    for image in (ROOT / "docs" / "images").iterdir():
        assert f"images/{image.name})" in text, image.name
        assert image.stat().st_size < 600_000, image.name


@pytest.mark.slow
def test_figures_are_drawn_anew(tmp_path):
    text = _python_help("docs/figures/make.py")
    assert "docs/images" in text
    command = [sys.executable, "docs/figures/make.py", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for drawn in tmp_path.iterdir():
        kept = cv2.imread(str(ROOT / "docs" / "images" / drawn.name))
        new = cv2.imread(str(drawn))
        assert kept is not None and new.std() > 20, drawn.name
        assert drawn.stat().st_size < 150_000, drawn.name
        assert np.abs(np.array(kept.shape) - new.shape).max() < 60, drawn.name  # fonts differ
