/* found.h: what was found, face by face, whether it was detected or tracked. */
#ifndef MT_FOUND_H
#define MT_FOUND_H

#include "mtcnn.h"

/* MTCNN_OK if the findings have faces of one kind, and a stage that exists. */
int mt_check_findings(const mtcnn_findings *findings, mtcnn_error *error);

/* One of the mtcnn_findings_count faces. */
const mtcnn_face *mt_found_face(const mtcnn_findings *findings, int index);

#endif
