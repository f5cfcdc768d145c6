/* A forked child uses and frees what its parent had, whatever the parent's threads were doing. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "random_model.h"

enum { W = 90, H = 60, LARGE = 300, SECONDS = 60 };

static mtcnn_error error;

/* All that there is to be used after a fork. */
typedef struct tools {
    mtcnn_detector *detector;
    mtcnn_tracker *tracker;
    mtcnn_image small, large;
    int faces; /* of the small picture */
} tools;

static int count_faces(mtcnn_detector *detector, const mtcnn_image *image)
{
    mtcnn_result result;
    return mtcnn_detect(detector, image, &result, &error) ? -1 : result.count;
}

static void make(tools *all, const mtcnn_model *model, int threads)
{
    mtcnn_options options;
    mtcnn_model_options(model, &options);
    options.threads = threads;
    options.max_boxes[0] = 30;
    options.thresholds[1] = options.thresholds[2] = 0.0f; /* something is always found */
    REQUIRE(!mtcnn_detector_create(&all->detector, model, &options, &error));
    REQUIRE(!mtcnn_tracker_create(&all->tracker, all->detector, NULL, &error));
    all->faces = count_faces(all->detector, &all->small);
    REQUIRE(all->faces > 0);
}

static void free_all(tools *all)
{
    mtcnn_tracker_free(&all->tracker);
    mtcnn_detector_free(&all->detector);
}

/* What a child does; false: not as it should. */
typedef bool work(tools *all);

static bool only_free(tools *all)
{
    free_all(all);
    return true;
}

static bool detect_and_free(tools *all)
{
    bool good = true;
    for (int i = 0; i < 2; i++)
        good = count_faces(all->detector, &all->small) == all->faces && good;
    free_all(all);
    return good;
}

static bool track_and_free(tools *all)
{
    mtcnn_tracks tracks;
    bool good = true;
    for (int i = 0; i < 3; i++)
        good = !mtcnn_track(all->tracker, &all->small, 1e6 + i, &tracks, &error) && good;
    good = tracks.faces && good;
    free_all(all);
    return good;
}

static bool fork_again(tools *all);

static work *const works[] = {only_free, detect_and_free, track_and_free, fork_again};
enum { WORKS = sizeof works / sizeof *works };

/* Whether a child did its work; one that hangs is ended by a signal. */
static bool child_does(work *does, tools *all)
{
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (!child) {
        alarm(SECONDS);
        _exit(does(all) ? 0 : 1);
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool fork_again(tools *all)
{
    const bool good = count_faces(all->detector, &all->small) == all->faces &&
                      child_does(detect_and_free, all) && child_does(only_free, all);
    return detect_and_free(all) && good;
}

static void idle_detectors(tools *all, const mtcnn_model *model)
{
    for (int threads = 1; threads <= 4; threads++) {
        make(all, model, threads);
        for (int i = 0; i < WORKS; i++)
            CHECK(child_does(works[i], all));
        CHECK(count_faces(all->detector, &all->small) == all->faces);
        free_all(all);
    }
}

static atomic_bool stop;

/* Pictures of two sizes and frames: its buffers grow, tracks come and go. */
static void *stay_busy(void *argument)
{
    tools *all = argument;
    mtcnn_tracks tracks;
    mtcnn_error own;
    for (int i = 0; !atomic_load(&stop); i++)
        mtcnn_track(all->tracker, i % 3 ? &all->small : &all->large, i, &tracks, &own);
    return NULL;
}

static void busy_detectors(tools *all, const mtcnn_model *model)
{
    for (int round = 0; round < 12; round++) {
        pthread_t thread;
        make(all, model, 1 + round % 3);
        atomic_store(&stop, false);
        REQUIRE(!pthread_create(&thread, NULL, stay_busy, all));
        const struct timespec pause = {0, 1000000L * (round % 5)};
        nanosleep(&pause, NULL);
        CHECK(child_does(works[round % WORKS], all));
        atomic_store(&stop, true);
        pthread_join(thread, NULL);
        CHECK(count_faces(all->detector, &all->small) == all->faces);
        free_all(all);
    }
}

int main(void)
{
    mtcnn_model *model = random_model(0.5);
    uint8_t *pixels = random_pixels(3 * LARGE * LARGE);
    tools all = {.small = {pixels, W, H, 3 * W, MTCNN_RGB},
                 .large = {pixels, LARGE, LARGE, 3 * LARGE, MTCNN_RGB}};
    idle_detectors(&all, model);
    busy_detectors(&all, model);
    mtcnn_model_free(&model);
    remove_random_model();
    free(pixels);
    return test_end();
}
