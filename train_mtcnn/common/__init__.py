"""What all rooms share: files read whole, checks of requirements, options, plots."""
