/* cascade.h: the detector's memory and the three stages; docs/architecture.md tells the steps. */
#ifndef MT_CASCADE_H
#define MT_CASCADE_H

#include <stdint.h>

#include "boxes.h"
#include "model.h"
#include "threads.h"

/* A level of the image pyramid. */
typedef struct mt_level {
    int width, height; /* pixels */
    int columns, rows; /* of PNet's output */
} mt_level;

/* Some rows of a level's output: what one task computes. */
typedef struct mt_band {
    int level;
    int first; /* row of PNet's output */
    int rows;
} mt_band;

/* What one thread needs for itself. */
typedef struct mt_lane {
    mt_workspace workspaces[MT_STAGES]; /* for networks that are not packed */
    mt_stream stream;                   /* for those that are */
    mt_buffer scratch;                  /* float: features of a batch */
    mt_resizer resizer;
    mt_buffer candidates; /* mt_candidate: what this thread found in PNet's outputs */
    size_t candidate_count;
    double pyramid_ms, task_ms; /* of PNet's tasks: resizing, and the whole */
    int status;                 /* of the stage in progress */
} mt_lane;

struct mtcnn_detector {
    const mtcnn_model *model;
    const mt_kernels *kernels;
    mtcnn_options options;
    mt_pool *pool;
    mt_lane *lanes;   /* [options.threads] */
    mt_buffer levels; /* mt_level [level_count] */
    mt_buffer bands;  /* mt_band [band_count] */
    int level_count, band_count;
    mt_buffer candidates; /* mt_candidate [candidate_count] */
    size_t candidate_count;
    mt_buffer outputs;          /* float: RNet's and ONet's outputs, candidate by candidate */
    mt_buffer faces[MT_STAGES]; /* mtcnn_face: what each stage hands on */
    mt_buffer clipped;          /* mtcnn_face: the result */
};

/* Runs the cascade on a checked image. */
int mt_cascade_run(mtcnn_detector *detector, const mtcnn_image *image, mtcnn_result *result,
                   mtcnn_error *error);

#endif
