/* Nothing but the public header: it must compile alone. */
#include "mtcnn.h"

int (*test_header_c)(mtcnn_detector *, const mtcnn_image *, mtcnn_result *,
                     mtcnn_error *) = mtcnn_detect;
