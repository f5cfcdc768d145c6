"""One network in training: batches, augmentation, losses, epochs, checkpoints."""
