"""Readers of published models, one a file.

Each has

- `add_source(parser)`: adds to its command's parser the argument `source`, where the files are, and
  options of its own, which `read` takes by name;
- `rewrite(cfgs, source)`: makes of our networks theirs, name -> Cfg;
- `read(source, layers, ...)`: reads the model, a `tensors.Published`. `layers` are those of the
  rewritten networks, "pnet", "rnet", "onet" -> [Layer]; those that are left out are not read.
  Raises FileError if a file cannot be found, downloaded or read, LibraryError if a package that
  reads it is not installed, ModelError if the networks are not those that are expected.
"""

from convert.importers import caffe, mtcnn_darknet, mtcnn_sysu, pytorch
from convert.importers import facenet_pytorch_wheel as facenet_pytorch
from convert.importers import ipazc_wheel as ipazc

# name on the command line -> module
IMPORTERS = {
    "caffe": caffe,
    "facenet-pytorch": facenet_pytorch,
    "ipazc": ipazc,
    "mtcnn-darknet": mtcnn_darknet,
    "mtcnn-sysu": mtcnn_sysu,
    "pytorch": pytorch,
}
