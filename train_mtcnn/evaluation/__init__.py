"""What a model is measured by: WIDER FACE, FDDB, landmarks."""
