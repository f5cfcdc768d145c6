// Nothing but the public header: it must compile alone, and its names must be C's.
#include "mtcnn.h"

int (*test_header_cxx)(mtcnn_detector *, const mtcnn_image *, mtcnn_result *,
                       mtcnn_error *) = mtcnn_detect;
