/* model.h: a cascade as its .data file describes it. */
#ifndef MT_MODEL_H
#define MT_MODEL_H

#include "network.h"
#include "resize.h"

typedef enum mt_stage { MT_PNET, MT_RNET, MT_ONET, MT_STAGES } mt_stage;

/* pnet, rnet, onet. */
extern const char *const mt_stage_names[MT_STAGES];

/* Channels of a stage's output: probability and 4 offsets; ONet's 10 of landmarks, too. */
enum { MT_PROPOSAL_CHANNELS = 5, MT_FACE_CHANNELS = 15 };

/* Read-only once loaded. */
struct mtcnn_model {
    const mt_kernels *kernels;
    mtcnn_network *networks[MT_STAGES];
    mtcnn_options options;
    mt_normalisation normalisation;
    int cell;       /* side of the picture part that one output of PNet looks at, pixels */
    int stride;     /* pixels from one output of PNet to the next */
    char *warnings; /* of the networks' cfgs, a line each; NULL: none */
};

#endif
