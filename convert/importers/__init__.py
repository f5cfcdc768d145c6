"""Readers of published models, one a file.

Each has `read(source, layers)`: `source` is the file that the user named (None: find it or download
it), `layers` the Layers of each of our networks with PReLU ("pnet", "rnet", "onet"). It gives the
float32 values of each network's `.weights` file, in file order.
"""

from convert.importers import facenet_pytorch

# name on the command line -> module
IMPORTERS = {"facenet-pytorch": facenet_pytorch}
