"""The page, made of Gradio's components."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from ..commands.console import complain
from ..detector import Detector
from ..errors import ArgumentError
from ..settings import settings
from .requests import sentence
from .view import MAX_BYTES, MAX_PIXELS, View, view

TITLE = "pymtcnn: faces and their five landmarks"
STAGES = [("PNet", "pnet"), ("RNet", "rnet"), ("ONet: faces", "onet")]
MIN_FACE = 12, 400
"""Range of the slider, pixels, extended to the model's own setting: below PNet's cell, pictures
would be enlarged, which is slow."""


def make_page(model: str | None = None, threads: int = 1) -> gr.Blocks:
    """The page for a model; it sends no statistics.

    Parameters
    ----------
    model : str, optional
        A `.data` file, as for `Detector`; the sliders start at its settings.
    threads : int
        Threads of each detection.

    Raises
    ------
    MtcnnError
        The model cannot be loaded.
    """
    with Detector(model, threads=threads) as detector:
        options = detector.options
    smallest, largest = min(MIN_FACE[0], options.min_face), max(MIN_FACE[1], options.min_face)

    def show(
        upload: dict[str, Any] | None, stage: str, min_face: float, *thresholds: float
    ) -> list[Any]:
        """The values of the outputs for those of the inputs; `upload` is Gradio's ImageData."""
        seen = View()
        if upload is not None:
            if not _is_upload(upload["path"]):
                raise ArgumentError("Only pictures that were uploaded are shown.")
            seen = view(
                upload["path"],
                upload["orig_name"] or "picture",
                stage,
                model=model,
                min_face=max(settings()["min_face"].check(min_face), smallest),
                thresholds=thresholds,
                threads=threads,
            )
        rows = [(name, what, f"{ms:.2f}") for name, what, ms in seen.timing]
        return [seen.message, seen.picture, list(seen.faces), rows, seen.json]

    every, age = 600, 3600  # seconds: older files of visitors are deleted
    page = _Page(title=TITLE, analytics_enabled=False, delete_cache=(every, age))
    with page:
        gr.Markdown(f"# {TITLE}")
        with gr.Row():
            with gr.Column(scale=2):
                upload = gr.Image(
                    label="Picture",
                    placeholder=f"Drop a picture here or click: at most {MAX_PIXELS // 1_000_000} "
                    f"megapixels and {MAX_BYTES >> 20} MiB",
                    height=280,
                    buttons=[],
                    elem_id="upload",
                )
                stage = gr.Radio(STAGES, value="onet", label="Boxes after", elem_id="stage")
                min_face = gr.Slider(
                    smallest,
                    largest,
                    value=options.min_face,
                    step=1,
                    label="Smallest face, pixels",
                    elem_id="min-face",
                )
                thresholds = [
                    gr.Slider(0, 1, value=value, step=0.01, label=f"Threshold of {name}")
                    for name, value in zip(("PNet", "RNet", "ONet"), options.thresholds)
                ]
                faces = gr.Gallery(
                    label="Faces, aligned",
                    columns=4,
                    fit_columns=False,  # a single face is no larger than the rest
                    height=150,
                    format="jpeg",
                    buttons=["download"],
                    interactive=False,
                    elem_id="faces",
                )
            with gr.Column(scale=3):
                message = gr.Textbox(label="Result", interactive=False, elem_id="message")
                picture = gr.Image(
                    label="Found",
                    format="jpeg",  # the fastest for large pictures
                    height=500,
                    buttons=["download", "fullscreen"],
                    interactive=False,
                    elem_id="found",
                )
                timing = gr.Dataframe(
                    headers=["stage", "candidates", "milliseconds"],
                    buttons=[],
                    interactive=False,
                    elem_id="timing",
                )
        json = gr.Code(
            label="JSON",
            language="json",
            max_lines=12,
            wrap_lines=True,
            interactive=False,
            elem_id="json",
        )
        inputs: list[Any] = [upload, stage, min_face, *thresholds]
        gr.on(
            [component.change for component in inputs],
            show,
            inputs,
            [message, picture, faces, timing, json],
            preprocess=False,  # the file unchanged: Pillow would rotate, convert or refuse it
            trigger_mode="always_last",
            show_progress="minimal",
            api_visibility="private",
        )
    return page


class _Page(gr.Blocks):
    """Requests that the page itself never makes fail in one line, not in a traceback."""

    async def process_api(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().process_api(*args, **kwargs)
        except Exception as error:  # a request may hold anything
            problem = sentence(error)
            complain("pymtcnn demo", problem)
            raise gr.Error(problem, print_exception=False) from error


def _is_upload(path: Any) -> bool:
    """Whether a file was uploaded: without preprocess, a request may name any local file."""
    try:
        return Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve())
    except (TypeError, ValueError, OSError):  # no path, or none that can be
        return False
