"""Readers of published models, one a file.

Each has

- `add_source(parser)`: adds to its command's parser the argument `source`, where the files are;
- `rewrite(cfg)`: makes of one of our networks theirs, as a Cfg;
- `SETTINGS`: the keys of the `.data` file that are the model's own: thresholds, mean, norm, color;
- `read(source, layers)`: `layers` are those of the rewritten networks ("pnet", "rnet", "onet");
  gives the float32 values of each network's `.weights` file, in file order.
"""

from convert.importers import caffe, facenet_pytorch, ipazc, mtcnn_sysu

# name on the command line -> module
IMPORTERS = {
    "caffe": caffe,
    "facenet-pytorch": facenet_pytorch,
    "ipazc": ipazc,
    "mtcnn-sysu": mtcnn_sysu,
}
