"""The reference cascade: boxes, resizing, the pyramid, the detector, plots of its stages."""
