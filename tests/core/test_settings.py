"""The one table of settings: everything else agrees with it."""

from __future__ import annotations

import dataclasses
import inspect
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

import pymtcnn
from pymtcnn import ArgumentError, Detector, Options, Tracker, TrackerOptions
from pymtcnn._library import core
from pymtcnn.settings import check_options, of, settings

STRUCTS = {"detector": "mtcnn_options", "tracker": "mtcnn_tracker_options"}
TYPES = {"double": "double", "float": "float", "int": "int", "flag": "int", "choice": None}


def names(owner: str) -> set[str]:
    return {row.name for row in of(owner)}


# ---- what else lists settings --------------------------------------------------------------------


def test_names_are_given_once():
    lib, ffi = core().lib, core().ffi
    count = ffi.new("int *")
    lib.mtcnn_settings(count)
    assert len(settings()) == count[0]
    options = [row.option for row in settings().values() if row.option]
    assert len(options) == len(set(options))


def test_help_says_the_default():
    for row in settings().values():
        if row.has("IN_DATA") or row.name == "max_side":
            continue  # the model's; none
        if row.option and row.kind in ("int", "double") and row.fallback:
            assert re.search(rf"default: .*\b{row.fallback}\b", row.help()), row.name


def test_settings_that_name_others():
    for row in settings().values():
        for other in {row.needs, row.excludes} - {None}:
            assert settings()[other].option and other != row.name


@pytest.mark.parametrize("owner", STRUCTS)
def test_members_of_the_structs(owner):
    """Each member except `reserved` has a row, with its type and length."""
    fields = dict(core().ffi.typeof(STRUCTS[owner]).fields)
    del fields["reserved"]
    assert set(fields) == names(owner)
    for row in of(owner):
        kind = fields[row.name].type
        length = kind.length if kind.kind == "array" else 1
        item = kind.item if kind.kind == "array" else kind
        assert (length, row.count) == (row.count, length), row.name
        assert item.cname == TYPES[row.kind] or (row.kind == "choice" and item.kind == "enum")


@pytest.mark.parametrize(
    ("owner", "signature"), [("detector", Detector), ("tracker", Tracker)], ids=STRUCTS
)
def test_typed_signatures(owner, signature):
    """Python's arguments are the table's, typed, and documented."""
    parameters = dict(inspect.signature(signature).parameters)
    first = parameters.pop(next(iter(parameters)))
    assert first.name in ("model", "detector")
    assert set(parameters) == names(owner)
    for name, parameter in parameters.items():
        assert parameter.kind is parameter.KEYWORD_ONLY and parameter.annotation
        assert re.search(rf"^    {name} : ", signature.__doc__, re.MULTILINE), name
        assert parameter.default in (None, settings()[name].default), name


@pytest.mark.parametrize(("owner", "options"), [("detector", Options), ("tracker", TrackerOptions)])
def test_options_in_force(owner, options):
    assert {field.name for field in dataclasses.fields(options)} == names(owner)
    for name in names(owner):
        assert re.search(rf"^    {name} : ", options.__doc__, re.MULTILINE), name


def test_data_keys_are_documented():
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = text[text.index("## Files of a model") : text.index("## The cascade")]
    for row in settings().values():
        if row.has("IN_DATA"):
            assert f"`{row.name}`" in table, row.name


def test_header_says_the_defaults():
    """The defaults of a tracker that mtcnn.h's comments name."""
    text = (ROOT / "csrc" / "include" / "mtcnn.h").read_text()
    comments = text[text.index("typedef struct mtcnn_tracker_options") :]
    comments = re.sub(r"\s+", " ", comments[: comments.index("} mtcnn_tracker_options;")])
    for row in of("tracker"):
        documented = re.search(rf"default (\d+(?:\.\d+)?)[^*]*\*/ \w+ {row.name};", comments)
        assert documented and documented[1] == row.fallback, row.name


def test_tracker_says_the_defaults():
    """The defaults that the docstring of Python's Tracker names, in its order."""
    listed = re.search(r"None means the default: (.*)\.", Tracker.__doc__)[1]
    assert re.findall(r"[\d.]+", listed) == [row.fallback for row in of("tracker")]


def test_other_functions_have_the_same_defaults():
    side = inspect.signature(pymtcnn.extract_faces).parameters["side"]
    assert settings()["crop_size"].default == side.default


# ---- values --------------------------------------------------------------------------------------


def test_defaults_are_good():
    for row in settings().values():
        assert row.default is None or row.check(row.default) == row.default, row.name


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("min_face", "a number of pixels, 1 to 1000000"),
        ("thresholds", "three numbers, each 0 to 1"),
        ("nms", "four numbers, each 0 to 1"),
        ("max_boxes", "three whole numbers, each 1 to 1000000"),
        ("scale_factor", "a number above 0 and below 1"),
        ("final_nms", "hard or soft"),
        ("stage", "pnet, rnet or onet"),
        ("every", "a whole number of frames, 1 to 1000000"),
        ("beta", "a number, at least 0"),
        ("norm", "a number other than 0"),
        ("mean", "a number"),
        ("max_pixels", "a number of megapixels, above 0, to 1000000"),
        ("crops", "the path of a folder"),
    ],
)
def test_rules(name, rule):
    assert settings()[name].rule == rule


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("min_face", " 20 ", 20.0),
        ("min_face", "+2.e1", 20.0),
        ("thresholds", "0.6,0.5 , 1", (0.6, 0.5, 1.0)),
        ("max_boxes", "1,1e3,300.0", (1, 1000, 300)),
        ("final_nms", "soft", "soft"),
        ("clip", None, False),
        ("every", "5", 5),
        ("out", "a b.png", "a b.png"),
    ],
)
def test_text(name, text, value):
    found = settings()[name].parse(text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("min_face", text) for text in ("", "0.99", "1000001", "nan", "inf", "0x20", "1_0", "٢")),
        *(("thresholds", text) for text in ("0.5", "1,1,1,1", "1,,1", "1,1,", "1,1,1.00000001")),
        *(("max_boxes", text) for text in ("1,1,1.5", "1,1,0", "a,b,c")),
        *(("final_nms", text) for text in ("", "Hard", "hard soft", "har")),
        ("max_side", "0"),
        ("out", ""),
    ],
)
def test_wrong_text(name, text):
    with pytest.raises(ArgumentError) as caught:
        settings()[name].parse(text)
    assert str(caught.value).endswith(f"must be {settings()[name].rule}")


@given(
    st.sampled_from(["min_face", "scale_factor", "beta", "smoothing", "max_pixels"]), st.floats()
)
def test_text_and_numbers_have_one_range(name, number):
    """The library accepts as text what Python accepts as a number."""
    row = settings()[name]

    def taken(read, value):
        try:
            return read(value) == number
        except ArgumentError:
            return False

    assert taken(row.parse, repr(number)) == taken(row.check, number)
    assert not (math.isnan(number) and taken(row.check, number))


def test_c_checks_the_same_range():
    """A value that Python accepts is also accepted by the library, at both ends."""
    ends = {"min_face": (1, 1e6), "max_side": (0, 1_000_000), "threads": (1, 2), "clip": (0, 1)}
    for name, values in ends.items():
        for value in values:
            with Detector(**{name: value}) as detector:
                assert getattr(detector.options, name) == value
    with Detector() as detector:
        for row in of("tracker"):
            for value in {row.low, min(row.high, 1e9)}:
                value = int(value) if row.kind == "int" else value
                assert getattr(Tracker(detector, **{row.name: value}).options, row.name) == value


@pytest.mark.parametrize("number", [0, 1e-60, 1e39, math.nan])
def test_norm(number):
    with pytest.raises(ArgumentError, match=r"norm .*: must be a number other than 0"):
        settings()["norm"].check(number)


def test_unknown_options():
    with pytest.raises(TypeError, match="speed"):
        check_options("detector", {"speed": 3})
    with pytest.raises(TypeError, match="speed"):
        next(pymtcnn.track([], speed=3))
