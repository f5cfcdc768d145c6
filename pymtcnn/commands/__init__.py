"""The commands of `pymtcnn`, a module each with a function `main(argv, *, prog) -> int`."""
