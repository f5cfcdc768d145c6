"""The web demo: a page for trying the detector out, served on this machine; it needs Gradio."""
