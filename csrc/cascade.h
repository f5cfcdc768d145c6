/* cascade.h: the detector's memory, and the cascade's parts; docs/architecture.md has the steps. */
#ifndef MT_CASCADE_H
#define MT_CASCADE_H

#include "boxes.h"
#include "model.h"
#include "process.h"
#include "threads.h"
#include "workspace.h"

/* A level of the image pyramid. */
typedef struct mt_level {
    int width, height; /* pixels of the picture */
    int margin;        /* pixels by which PNet's windows reach out of it, on each side */
    int columns, rows; /* of PNet's output */
    int tiles_left;    /* to be done */
} mt_level;

/* A part of a level's output: one task's work. Neighbours share the pixels of their cells. */
typedef struct mt_tile {
    int level;
    int column, row; /* the first, of PNet's output */
    int columns, rows;
} mt_tile;

enum {
    MT_LANE_CANDIDATES, /* mt_candidate [candidate_count]: the last that PNet found in a tile */
    MT_LANE_KEPT,       /* what mt_suppress needs */
    MT_LANE_BEST,       /* mt_candidate [best_count]: the best of best_level */
    MT_LANE_BUFFERS
};

/*
 * What one thread needs for itself, and the best candidates of a level in progress. At any time no
 * more levels are in progress than threads: each lane has room for one of them, to which all lanes
 * add while they hold the pool's lock.
 */
typedef struct mt_lane {
    mt_workspace workspaces[MT_STAGES]; /* for networks that are not packed */
    mt_stream stream;                   /* for those that are */
    mt_resizer resizer;
    mt_buffer buffers[MT_LANE_BUFFERS];
    size_t candidate_count;
    int best_level; /* -1: free */
    size_t best_count;
    double pyramid_ms, task_ms; /* of PNet's tasks: resizing, and the whole */
    bool failed;                /* memory ran out */
} mt_lane;

enum {
    MT_DETECTOR_LEVELS,     /* mt_level [level_count] */
    MT_DETECTOR_TILES,      /* mt_tile [tile_count] */
    MT_DETECTOR_CANDIDATES, /* mt_candidate [candidate_count] */
    MT_DETECTOR_LANDMARKS,  /* float [10] for each of ONet's inputs */
    MT_DETECTOR_CLIPPED,    /* mtcnn_face: the result */
    MT_DETECTOR_FACES,      /* the first of MT_STAGES; mtcnn_face: what each stage hands on */
    MT_DETECTOR_BUFFERS = MT_DETECTOR_FACES + MT_STAGES
};

struct mtcnn_detector {
    const mtcnn_model *model;
    mtcnn_options options;
    mt_use use;
    mt_pool *pool;
    mt_lane *lanes; /* [options.threads] */
    mt_buffer buffers[MT_DETECTOR_BUFFERS];
    int level_count, tile_count;
    size_t candidate_count;
};

/* Step 1: plans levels and tiles for a picture of width x height. pyramid.c */
int mt_plan_pyramid(mtcnn_detector *detector, int width, int height, mtcnn_error *error);

/*
 * Steps 2 to 4, up to the suppression within levels: fills candidates with the best that PNet
 * found, in no order. *pyramid_share: the part of the time that went into resizing. false: no
 * memory. proposals.c
 */
bool mt_propose(mtcnn_detector *detector, const mtcnn_image *image, double *pyramid_share);

/*
 * Steps 7 and 8, up to the threshold: runs RNet or ONet on all candidates, whose boxes are squares,
 * and keeps those that pass, with their scores and offsets, and landmarks at their order. false: no
 * memory. refine.c
 */
bool mt_refine(mtcnn_detector *detector, const mtcnn_image *image, mt_stage stage);

/* Boxes at which there may be faces, of any form. */
typedef struct mt_boxes {
    const float (*boxes)[4]; /* [count] */
    size_t count;
} mt_boxes;

/*
 * The cascade on a checked image: scan: PNet looks for candidates; known (may be NULL): these
 * boxes' squares are candidates, too. *result is all zero before. cascade.c
 */
int mt_cascade_run(mtcnn_detector *detector, const mtcnn_image *image, bool scan,
                   const mt_boxes *known, mtcnn_result *result, mtcnn_error *error);

/* Gives every lane the memory that any of them needed. false: no memory. lanes.c */
bool mt_equalise_lanes(mtcnn_detector *detector);

/*
 * After a fork, in the child: forgets the memory that another thread was using at that moment. It
 * is lost, as a pointer may have been half changed. lanes.c
 */
void mt_forget_torn(mtcnn_detector *detector);

size_t mt_lane_bytes(mt_lane *lane);
void mt_lane_free(mt_lane *lane);

#endif
