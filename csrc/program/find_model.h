/* find_model.h: which model the program uses. */
#ifndef MTCNN_PROGRAM_FIND_MODEL_H
#define MTCNN_PROGRAM_FIND_MODEL_H

#include "mtcnn.h"

/*
 * Loads the first there is of: the .data file at path (where not NULL), the file that the
 * environment variable MTCNN_MODEL names, the model built in, darknet_cfg/default.data and
 * ../share/mtcnn/default.data beside the program. A file that is named must load: no other model
 * stands in for it; beside the program, one whose files are not all there is skipped. As
 * mtcnn_model_load otherwise.
 */
int find_model(mtcnn_model **model, const char *path, mtcnn_error *error);

#endif
