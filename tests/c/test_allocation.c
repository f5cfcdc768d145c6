/* In the steady state a detector allocates no memory: the linker wraps all requests here. */
#include <stdatomic.h>

#include "random_model.h"

static atomic_long requests; /* threads allocate memory, too */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *data, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *data, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    requests++;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    requests++;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *data, size_t bytes)
{
    requests++;
    return __real_realloc(data, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    requests++;
    return __real_aligned_alloc(alignment, bytes);
}

/* Pictures of two sizes, repeatedly; the first of each may allocate memory. */
static void count_requests(const mtcnn_model *model, int threads)
{
    enum { W = 320, H = 240 };
    mtcnn_detector *detector = NULL;
    mtcnn_options options;
    mtcnn_result result;
    uint8_t *pixels = random_pixels(3 * W * H);
    const mtcnn_image large = {pixels, W, H, 3 * W, MTCNN_RGB};
    const mtcnn_image small = {pixels, W / 2, H / 2, 3 * W, MTCNN_RGB};
    mtcnn_model_options(model, &options);
    options.threads = threads;
    requests = 0;
    REQUIRE(!mtcnn_detector_create(&detector, model, &options, NULL));
    CHECK(!mtcnn_detect(detector, &large, &result, NULL));
    CHECK(result.count > 0);
    CHECK(requests > 0); /* or nothing is counted */
    const long before = requests;
    const size_t memory = mtcnn_detector_memory(detector);
    for (int i = 0; i < 5; i++) {
        CHECK(!mtcnn_detect(detector, &small, &result, NULL));
        CHECK(!mtcnn_detect(detector, &large, &result, NULL));
    }
    CHECK(requests == before);
    CHECK(mtcnn_detector_memory(detector) == memory);
    printf("%d threads: %ld requests to start, %ld in the steady state\n", threads, before,
           atomic_load(&requests) - before);
    mtcnn_detector_free(&detector);
    free(pixels);
}

/* The scratch memory does not grow with the picture, only with its tiles. */
static void memory_is_bounded(const mtcnn_model *model)
{
    enum { WIDE = 60000, HIGH = 24 };
    mtcnn_detector *detector = NULL;
    mtcnn_options options;
    mtcnn_result result;
    uint8_t *pixels = calloc(WIDE * HIGH, 1); /* one colour: no candidates */
    REQUIRE(pixels);
    mtcnn_model_options(model, &options);
    memset(options.thresholds, 0, sizeof options.thresholds);
    options.thresholds[0] = 1.0f;
    REQUIRE(!mtcnn_detector_create(&detector, model, &options, NULL));
    CHECK(!mtcnn_detect(detector, &(mtcnn_image){pixels, WIDE, HIGH, WIDE, MTCNN_GRAY}, &result,
                        NULL));
    CHECK(result.stages[0].inputs > 10000);
    printf("%d x %d pixels: %zu bytes of scratch memory\n", WIDE, HIGH,
           mtcnn_detector_memory(detector));
    CHECK(mtcnn_detector_memory(detector) < 2 << 20);
    mtcnn_detector_free(&detector);
    free(pixels);
}

/* Nor does it grow with PNet's candidates beyond the maximum that is kept. */
static void candidates_are_bounded(const mtcnn_model *model)
{
    enum { SIDE = 600, MAX_BOXES = 300 };
    uint8_t *pixels = random_pixels(SIDE * SIDE);
    mtcnn_options options;
    mtcnn_model_options(model, &options);
    memset(options.thresholds, 0, sizeof options.thresholds);
    options.thresholds[1] = 1.0f;
    size_t memory[2];
    for (int capped = 0; capped < 2; capped++) {
        mtcnn_detector *detector = NULL;
        mtcnn_result result;
        if (capped)
            options.max_boxes[0] = MAX_BOXES;
        REQUIRE(!mtcnn_detector_create(&detector, model, &options, NULL));
        CHECK(!mtcnn_detect(detector, &(mtcnn_image){pixels, SIDE, SIDE, SIDE, MTCNN_GRAY}, &result,
                            NULL));
        CHECK(capped ? result.stages[0].count <= MAX_BOXES
                     : result.stages[0].count > 5 * MAX_BOXES);
        memory[capped] = mtcnn_detector_memory(detector);
        mtcnn_detector_free(&detector);
    }
    printf("%zu bytes of scratch memory, %zu with at most %d boxes\n", memory[0], memory[1],
           MAX_BOXES);
    /* A level's best, all levels' best, their corners, faces; and tiles and crops. */
    CHECK(memory[1] < MAX_BOXES * (2 * 44 + 16 + 60) + (3 << 19));
    CHECK(memory[0] > 2 * memory[1]);
    free(pixels);
}

/* Nor does a tracker allocate memory, once it has scanned and followed all faces. */
static void tracking_allocates_nothing(const mtcnn_model *model)
{
    enum { W = 320, H = 240, ROUND = 8 };
    uint8_t *pixels = random_pixels(3 * W * H);
    mtcnn_detector *detector = NULL;
    mtcnn_tracker *tracker = NULL;
    mtcnn_tracks tracks;
    REQUIRE(!mtcnn_detector_create(&detector, model, NULL, NULL));
    REQUIRE(!mtcnn_tracker_create(&tracker, detector, &(mtcnn_tracker_options){.every = 4}, NULL));
    long before = 0;
    for (int frame = 0; frame < 5 * ROUND; frame++) {
        if (frame == 2 * ROUND)
            before = requests;
        const mtcnn_image part = {pixels + 3 * (frame % ROUND), W - ROUND, H, 3 * W, MTCNN_RGB};
        CHECK(!mtcnn_track(tracker, &part, frame, &tracks, NULL));
        CHECK(tracks.count > 0);
    }
    CHECK(requests == before);
    mtcnn_tracker_free(&tracker);
    mtcnn_detector_free(&detector);
    free(pixels);
}

int main(void)
{
    mtcnn_model *model = random_model(0.5);
    tracking_allocates_nothing(model);
    count_requests(model, 1);
    count_requests(model, 4);
    memory_is_bounded(model);
    candidates_are_bounded(model);
    mtcnn_model_free(&model);
    remove_random_model();
    return test_end();
}
