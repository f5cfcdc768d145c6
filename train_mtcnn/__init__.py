"""Networks from Darknet files, the reference cascade in PyTorch, and its evaluation."""
