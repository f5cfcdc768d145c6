"""Training and evaluation of MTCNN in PyTorch, and the reference cascade.

The modules of this folder are programs; what they are made of lies in rooms, each of which imports
only those before it: common, network, cascade, data, then training and evaluation, side by side.
"""
