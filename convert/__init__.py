"""Checkpoints and published models to Darknet files, and back."""
