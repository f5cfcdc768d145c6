"""Readers of data sets, and the samples made of them."""
