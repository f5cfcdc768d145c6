"""Darknet files in Python, the PyTorch networks made of them, and rewritings of both."""
