"""Serving the page so that no data leave the machine or stay on it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from ..errors import MtcnnError
from ..files import reason
from .requests import OneLine
from .view import MAX_BYTES, MAX_PIXELS

HOST, PORT = "127.0.0.1", 7860


@contextmanager
def serving(
    model: str | None = None,
    *,
    threads: int = 1,
    host: str = HOST,
    port: int = PORT,
    share: bool = False,
    browser: bool = False,
) -> Iterator[str]:
    """Serve the page while the block runs.

    Uploads are in a temporary folder, which is deleted at the end.

    Parameters
    ----------
    model : str, optional
    threads : int
        As for `Detector`.
    host : str
        Address or name to listen on; ``0.0.0.0``: every address of this machine.
    port : int
        0: any that is free.
    share : bool
        Whether to make a public link through Gradio's servers.
    browser : bool
        Whether to open the page in the browser.

    Yields
    ------
    str
        The page's address: the public one if there is one.

    Raises
    ------
    MtcnnError
        The model cannot be loaded, the port cannot be opened, or there is no public link.
    """
    port = _free_port(host, port)
    no_proxy = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    with TemporaryDirectory(prefix="pymtcnn-demo-") as folder:
        os.environ |= {  # before Gradio and OpenCV are imported
            "GRADIO_TEMP_DIR": folder,
            "GRADIO_ANALYTICS_ENABLED": "False",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "OPENCV_IO_MAX_IMAGE_PIXELS": str(MAX_PIXELS),
            "no_proxy": f"{no_proxy},localhost,{HOST},{host}",  # Gradio checks that the page is up
        }
        import gradio as gr

        from .page import make_page

        page = make_page(model, threads)
        theme = gr.themes.Default(  # with fonts that need no download
            font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
        )
        _, local, public = page.launch(
            server_name=host,
            server_port=port,
            share=share,
            inbrowser=browser,
            max_file_size=MAX_BYTES,
            theme=theme,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            mcp_server=False,
            ssr_mode=False,
            inline=False,
            quiet=True,
            prevent_thread_lock=True,
        )
        logging.getLogger("uvicorn.error").addFilter(OneLine())
        try:
            if share and not public:
                raise MtcnnError("--share: no public link could be made; the cause is above")
            yield public or local
        finally:
            page.close(verbose=False)


def _free_port(host: str, port: int) -> int:
    """The port itself, or a free one for 0; MtcnnError where it cannot be opened."""
    try:
        with socket.create_server((host, port)) as server:
            free: int = server.getsockname()[1]
            return free
    except (OSError, OverflowError) as error:  # OverflowError: no port has this number
        raise MtcnnError(
            f"{host}:{port}: cannot be opened: {reason(error)}; choose another --host or --port"
        ) from error
