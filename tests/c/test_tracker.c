/* Tracking: options, matching, smoothing, independence of threads. Real faces: pytest. */
#include "scene.h"
#include "tracks.h"

#include "random_model.h"

static mtcnn_error error;

enum { W = 230, H = 171 };

/* A model whose RNet and ONet accept everything: faces are never lost. */
static mtcnn_detector *create_detector(const mtcnn_model *model, int threads)
{
    mtcnn_detector *detector = NULL;
    mtcnn_options options;
    mtcnn_model_options(model, &options);
    options.thresholds[1] = options.thresholds[2] = 0.0f;
    options.max_boxes[0] = 60;
    options.threads = threads;
    REQUIRE(!mtcnn_detector_create(&detector, model, &options, &error));
    return detector;
}

static mtcnn_tracker *create(mtcnn_detector *detector, int every, double smoothing)
{
    mtcnn_tracker *tracker = NULL;
    mtcnn_tracker_options options;
    mtcnn_tracker_defaults(&options);
    options.every = every;
    options.smoothing = smoothing;
    options.min_score = 0.0f;
    REQUIRE(!mtcnn_tracker_create(&tracker, detector, &options, &error));
    return tracker;
}

static void options_are_checked(mtcnn_detector *detector)
{
    mtcnn_tracker_options good, wrong[10];
    mtcnn_tracker_defaults(&good);
    for (int i = 0; i < 10; i++)
        wrong[i] = good;
    wrong[0].every = 0;
    wrong[1].every = MTCNN_MAX_FRAMES + 1;
    wrong[2].lost = -1;
    wrong[3].min_score = -0.1f;
    wrong[4].min_score = NAN;
    wrong[5].smoothing = MTCNN_MAX_SMOOTHING + 1;
    wrong[6].smoothing = NAN;
    wrong[7].beta = -1;
    wrong[8].beta = INFINITY;
    wrong[9].reserved[0] = 1;
    const char *const parts[] = {"every 0",   "every",
                                 "lost -1",   "min_score -0.1",
                                 "min_score", "smoothing",
                                 "smoothing", "beta -1",
                                 "beta inf",  "mtcnn_tracker_options: reserved[0]"};
    for (int i = 0; i < 10; i++) {
        mtcnn_tracker *tracker = (mtcnn_tracker *)&good;
        CHECK(mtcnn_tracker_create(&tracker, detector, &wrong[i], &error) == MTCNN_ERROR_ARGUMENT);
        CHECK(!tracker);
        CHECK_HOLDS(error.message, parts[i]);
    }
    mtcnn_tracker *tracker = NULL;
    CHECK(mtcnn_tracker_create(&tracker, NULL, NULL, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_tracker_create(NULL, detector, NULL, NULL) == MTCNN_ERROR_ARGUMENT);
    CHECK(!mtcnn_tracker_create(&tracker, detector, NULL, &error));
    mtcnn_tracker_free(&tracker);
    CHECK(!tracker);
    mtcnn_tracker_free(&tracker);
    mtcnn_tracker_free(NULL);
}

static void frames_are_checked(mtcnn_detector *detector, const mtcnn_image *image)
{
    mtcnn_tracker *tracker = create(detector, 10, 0);
    mtcnn_tracks tracks;
    mtcnn_image wrong = *image;
    wrong.width = 0;
    CHECK(mtcnn_track(tracker, image, NAN, &tracks, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_track(tracker, image, INFINITY, &tracks, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(!mtcnn_track(tracker, image, -1.5, &tracks, &error));
    CHECK(tracks.count > 0 && tracks.scanned);
    const double times[] = {-1.5, -2, NAN};
    for (int i = 0; i < 3; i++) {
        tracks.count = 99;
        CHECK(mtcnn_track(tracker, image, times[i], &tracks, &error) == MTCNN_ERROR_ARGUMENT);
        CHECK(!tracks.count && !tracks.faces);
        CHECK_HOLDS(error.message, "later than the frame before");
    }
    CHECK(mtcnn_track(tracker, &wrong, 1, &tracks, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_track(NULL, image, 1, &tracks, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_track(tracker, image, 1, NULL, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(!mtcnn_track(tracker, image, -1.4, &tracks, &error));
    CHECK(tracks.count > 0 && tracks.faces[0].age == 1);

    /* Another size: other faces, with new ids. */
    uint32_t most = 0;
    for (int i = 0; i < tracks.count; i++)
        most = tracks.faces[i].id > most ? tracks.faces[i].id : most;
    mtcnn_image smaller = *image;
    smaller.width = W / 2;
    CHECK(!mtcnn_track(tracker, &smaller, 1, &tracks, &error));
    CHECK(tracks.scanned && tracks.count > 0 && tracks.faces[0].id > most);
    CHECK(tracks.faces[0].age == 0);

    /* No faces: each frame is scanned, and nothing is an error. */
    mtcnn_image tiny = *image;
    tiny.width = tiny.height = 5;
    for (int i = 2; i < 5; i++) {
        CHECK(!mtcnn_track(tracker, &tiny, i, &tracks, &error));
        CHECK(tracks.scanned && tracks.count == 0);
    }
    mtcnn_tracker_free(&tracker);
}

/* With every = 1 and no smoothing: the results of detection, except for ids. */
static void scans_are_detections(mtcnn_detector *detector, const mtcnn_image *image)
{
    mtcnn_tracker *tracker = create(detector, 1, 0);
    for (int frame = 0; frame < 4; frame++) {
        mtcnn_image part = *image;
        part.pixels += 3 * frame;
        part.width -= 4;
        mtcnn_tracks tracks;
        mtcnn_result result;
        CHECK(!mtcnn_track(tracker, &part, frame, &tracks, &error));
        mtcnn_tracked_face *faces = malloc(sizeof *faces * (size_t)(tracks.count + 1));
        REQUIRE(faces && tracks.count > 0);
        memcpy(faces, tracks.faces, sizeof *faces * (size_t)tracks.count);
        CHECK(!mtcnn_detect(detector, &part, &result, &error));
        CHECK(result.count == tracks.count);
        for (int i = 0; i < result.count; i++) {
            int same = 0;
            for (int j = 0; j < tracks.count; j++)
                same += !memcmp(&faces[j].face, &result.faces[i], sizeof(mtcnn_face));
            CHECK(same == 1);
        }
        for (int j = 1; j < tracks.count; j++)
            CHECK(faces[j].id > faces[j - 1].id);
        free(faces);
    }
    mtcnn_tracker_free(&tracker);
}

/* A digest of all results of some frames; *scans: how many were scanned. */
static uint64_t digest(const mtcnn_model *model, const mtcnn_image *image, int threads, int *scans)
{
    mtcnn_detector *detector = create_detector(model, threads);
    mtcnn_tracker *tracker = create(detector, 4, 0.15);
    uint64_t sum = 0;
    *scans = 0;
    for (int frame = 0; frame < 10; frame++) {
        mtcnn_image part = *image;
        part.pixels += 3 * frame;
        part.width -= 10;
        mtcnn_tracks tracks;
        CHECK(!mtcnn_track(tracker, &part, frame / 25.0, &tracks, &error));
        CHECK(tracks.count > 0);
        *scans += tracks.scanned;
        const unsigned char *bytes = (const unsigned char *)tracks.faces;
        for (size_t i = 0; i < sizeof *tracks.faces * (size_t)tracks.count; i++)
            sum = (sum ^ bytes[i]) * 1099511628211u;
    }
    mtcnn_tracker_free(&tracker);
    mtcnn_detector_free(&detector);
    return sum;
}

static void threads_change_nothing(const mtcnn_model *model, const mtcnn_image *image)
{
    int scans, others;
    const uint64_t one = digest(model, image, 1, &scans);
    CHECK(scans == 3); /* frames 0, 4, 8 */
    for (int threads = 1; threads <= 4; threads++) {
        CHECK(digest(model, image, threads, &others) == one);
        CHECK(others == scans);
    }
}

static mtcnn_face face_at(float x, float y, float side)
{
    mtcnn_face face = {.box = {x, y, x + side, y + side}, .score = 0.9f};
    for (int k = 0; k < 10; k++)
        face.landmarks[k] = (k % 2 ? y : x) + side / 2;
    return face;
}

/* Each box gets the face that overlaps it most, each face is used once. */
static void matching(void)
{
    const float boxes[3][4] = {{0, 0, 10, 10}, {4, 0, 14, 10}, {50, 50, 60, 60}};
    const mtcnn_face faces[] = {face_at(3, 0, 10), face_at(1, 0, 10), face_at(58, 50, 10)};
    int face_of[3], box_of[3];
    mt_buffer pairs = {0};
    CHECK(mt_match(boxes, 3, faces, 3, &pairs, face_of, box_of));
    CHECK(face_of[0] == 1 && face_of[1] == 0 && face_of[2] == -1);
    CHECK(box_of[0] == 1 && box_of[1] == 0 && box_of[2] == -1);
    CHECK(mt_match(boxes, 3, faces, 1, &pairs, face_of, box_of));
    CHECK(face_of[0] == -1 && face_of[1] == 0 && box_of[0] == 1);
    const float nowhere[1][4] = {{NAN, NAN, NAN, NAN}};
    CHECK(mt_match(nowhere, 1, faces, 3, &pairs, face_of, box_of));
    CHECK(face_of[0] == -1 && box_of[0] == -1);
    CHECK(mt_match(boxes, 0, faces, 3, &pairs, NULL, box_of));
    CHECK(box_of[0] == -1 && box_of[1] == -1 && box_of[2] == -1);
    CHECK(mt_match(boxes, 3, NULL, 0, &pairs, face_of, NULL));
    CHECK(face_of[0] == -1 && face_of[1] == -1 && face_of[2] == -1);
    mt_release(&pairs);
}

/* A face at rest jitters less, a moving one hardly lags, one without smoothing not at all. */
static void smoothing(void)
{
    const double step = 1 / 25.0;
    mt_smoothing rest, moving, off;
    mtcnn_face face = face_at(100, 100, 50);
    mt_smoothing_begin(&rest, &face);
    mt_smoothing_begin(&moving, &face);
    mt_smoothing_begin(&off, &face);
    float largest = 0;
    for (int i = 0; i < 100; i++) {
        face = face_at(i % 2 ? 101.0f : 99.0f, 100, 50);
        mt_smoothing_add(&rest, &face, step, 0.15, 20);
        mt_smoothing_add(&off, &face, step, 0, 20);
        CHECK(!memcmp(&off.face, &face, sizeof face));
        if (i > 20)
            largest = fmaxf(largest, fabsf(rest.face.box[0] - 100));
    }
    CHECK(largest < 0.5f);
    for (int i = 1; i <= 50; i++) {
        face = face_at(100 + 5.0f * i, 100, 50); /* 2.5 sides a second */
        mt_smoothing_add(&moving, &face, step, 0.15, 20);
    }
    CHECK(fabsf(moving.face.box[0] - face.box[0]) < 1.0f);
    CHECK(fabsf(moving.face.box[2] - moving.face.box[0] - 50) < 1e-3f);
    CHECK(fabsf(moving.face.landmarks[0] - moving.face.box[0] - 25) < 1e-3f);
}

/* Times at the limits of a double: results are numbers, and tracking continues. */
static void extreme_times(mtcnn_detector *detector, const mtcnn_image *image)
{
    const double times[] = {-1e308, 0, 5e-324, 1e-320, 1e-300, 1, 1.0000000000000002, 1e308};
    mtcnn_tracker *tracker = create(detector, 100, 0.15);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        mtcnn_image part = *image;
        part.pixels += 3 * i;
        part.width -= 10;
        mtcnn_tracks tracks;
        CHECK(!mtcnn_track(tracker, &part, times[i], &tracks, &error));
        CHECK(tracks.count > 0);
        for (int j = 0; j < tracks.count; j++) {
            const mtcnn_face *face = &tracks.faces[j].face;
            for (int k = 0; k < 4; k++)
                CHECK(isfinite(face->box[k]));
            for (int k = 0; k < 10; k++)
                CHECK(isfinite(face->landmarks[k]));
            CHECK(face->box[0] < face->box[2] && face->box[1] < face->box[3]);
        }
    }
    mtcnn_tracker_free(&tracker);
}

/* A cut is a change of colours, in any order of channels; a moving picture is not a cut. */
static void cuts(void)
{
    const mtcnn_color colors[] = {MTCNN_GRAY, MTCNN_RGB, MTCNN_BGR, MTCNN_BGRA};
    for (int i = 0; i < 4; i++) {
        const int bytes = i == 0 ? 1 : i == 3 ? 4 : 3;
        uint8_t *pixels = random_pixels(4 * 100 * 100);
        memset(pixels, 200, 100 * 40 * (size_t)bytes); /* the upper 40 rows */
        mt_scene whole, moved, light, one;
        mt_scene_of(&whole, &(mtcnn_image){pixels, 95, 90, 100 * bytes, colors[i]});
        mt_scene_of(&moved,
                    &(mtcnn_image){pixels + 5 * 100 * bytes, 95, 90, 100 * bytes, colors[i]});
        mt_scene_of(&light, &(mtcnn_image){pixels, 95, 35, 100 * bytes, colors[i]});
        mt_scene_of(&one, &(mtcnn_image){pixels + 99 * 100 * bytes, 1, 1, -bytes, colors[i]});
        int sum = 0;
        for (int k = 0; k < MT_SCENE_COLORS; k++)
            sum += whole.counts[k];
        CHECK(sum == 64 * 36);
        CHECK(!mt_scene_is_cut(&whole, &whole) && !mt_scene_is_cut(&whole, &moved));
        CHECK(mt_scene_is_cut(&whole, &light) && mt_scene_is_cut(&light, &whole));
        CHECK(mt_scene_is_cut(&one, &whole));
        free(pixels);
    }
}

static void a_track_continues_its_motion(void)
{
    mtcnn_tracker_options options;
    mtcnn_tracker_defaults(&options);
    mt_track track = {.seconds = 1};
    mtcnn_face face = face_at(10, 20, 30);
    float box[4];
    mt_smoothing_begin(&track.smoothing, &face);
    mt_track_predict(&track, 2, box);
    CHECK(!memcmp(box, face.box, sizeof box));
    face = face_at(14, 18, 30);
    mt_track_update(&track, &face, 2, &options);
    mt_track_predict(&track, 2.5, box);
    const mtcnn_face expected = face_at(16, 17, 30);
    CHECK(test_largest_difference(box, expected.box, 4) < 1e-4f);
    track.missed = 1;
    mt_track_predict(&track, 3, box);
    CHECK(!memcmp(box, face.box, sizeof box));

    /* Frames at almost the same time: no velocity that can be told, whether missed or not. */
    face = face_at(19, 18, 30);
    mt_track_update(&track, &face, nextafter(2, 3), &options);
    track.velocity[0] = -INFINITY;
    for (track.missed = 0; track.missed < 2; track.missed++) {
        mt_track_predict(&track, 3, box);
        CHECK(box[0] == 19 && box[2] == 49);
    }
}

int main(void)
{
    mtcnn_model *model = random_model(0.5);
    mtcnn_detector *detector = create_detector(model, 1);
    uint8_t *pixels = random_pixels(3 * W * H);
    const mtcnn_image image = {pixels, W, H, 3 * W, MTCNN_RGB};
    options_are_checked(detector);
    frames_are_checked(detector, &image);
    scans_are_detections(detector, &image);
    threads_change_nothing(model, &image);
    extreme_times(detector, &image);
    matching();
    smoothing();
    cuts();
    a_track_continues_its_motion();
    mtcnn_detector_free(&detector);
    mtcnn_model_free(&model);
    remove_random_model();
    free(pixels);
    return test_end();
}
