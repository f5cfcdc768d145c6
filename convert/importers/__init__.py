"""Readers of published models, one a file.

Each has

- `add_source(parser)`: adds to its command's parser the argument `source`, where the files are, and
  options of its own, which `read` takes by name;
- `rewrite(cfgs, source)`: makes of our networks theirs, name -> Cfg;
- `SETTINGS`: the keys of the `.data` file that are the model's own: thresholds, mean, norm, color;
- `read(source, layers, ...)`: `layers` are those of the rewritten networks ("pnet", "rnet",
  "onet"); gives the float32 values of each network's `.weights` file, in file order.
"""

from convert.importers import caffe, facenet_pytorch, ipazc, mtcnn_sysu, pytorch

# name on the command line -> module
IMPORTERS = {
    "caffe": caffe,
    "facenet-pytorch": facenet_pytorch,
    "ipazc": ipazc,
    "mtcnn-sysu": mtcnn_sysu,
    "pytorch": pytorch,
}
