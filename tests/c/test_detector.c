/* The public functions: arguments, contracts of results, bad models. Real faces: tests/parity. */
#include "random_model.h"

static mtcnn_error error;

static mtcnn_detector *create(const mtcnn_model *model, const mtcnn_options *options)
{
    mtcnn_detector *detector = NULL;
    int status = mtcnn_detector_create(&detector, model, options, &error);
    if (status)
        fprintf(stderr, "%s\n", error.message);
    REQUIRE(!status);
    return detector;
}

static mtcnn_face *copy_faces(const mtcnn_result *result)
{
    mtcnn_face *faces = malloc(sizeof *faces * (size_t)(result->count + 1));
    REQUIRE(faces);
    if (result->count)
        memcpy(faces, result->faces, sizeof *faces * (size_t)result->count);
    return faces;
}

static void options_are_checked(const mtcnn_model *model)
{
    mtcnn_options good;
    mtcnn_model_options(model, &good);
    CHECK(good.min_face == 20 && good.threads == 1 && good.clip == 1);
    const struct {
        size_t offset;
        double value;
        const char *part;
    } wrong[] = {
        {offsetof(mtcnn_options, min_face), 0.5, "min_face 0.5"},
        {offsetof(mtcnn_options, min_face), NAN, "min_face"},
        {offsetof(mtcnn_options, min_face), 1e9, "min_face"},
        {offsetof(mtcnn_options, scale_factor), 0.0, "scale_factor 0"},
        {offsetof(mtcnn_options, scale_factor), 1.0, "scale_factor 1"},
        {offsetof(mtcnn_options, scale_factor), NAN, "scale_factor"},
    };
    mtcnn_detector *detector;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        mtcnn_options options = good;
        memcpy((char *)&options + wrong[i].offset, &wrong[i].value, sizeof(double));
        CHECK(mtcnn_detector_create(&detector, model, &options, &error) == MTCNN_ERROR_ARGUMENT);
        CHECK(!detector);
        CHECK_HOLDS(error.message, wrong[i].part);
    }
    const float outside[] = {-0.1f, 1.1f, NAN};
    for (int i = 0; i < 3; i++) {
        mtcnn_options options = good;
        options.thresholds[i] = outside[i];
        CHECK(mtcnn_detector_create(&detector, model, &options, &error) == MTCNN_ERROR_ARGUMENT);
        CHECK_HOLDS(error.message, "threshold");
        options = good;
        options.nms[i + 1] = outside[i];
        CHECK(mtcnn_detector_create(&detector, model, &options, &error) == MTCNN_ERROR_ARGUMENT);
        CHECK_HOLDS(error.message, "nms");
    }
    for (int threads = -1; threads <= 100000; threads += 100001) {
        mtcnn_options options = good;
        options.threads = threads;
        CHECK(mtcnn_detector_create(&detector, model, &options, &error) == MTCNN_ERROR_ARGUMENT);
        CHECK_HOLDS(error.message, "threads");
    }
    for (int side = -1; side <= MTCNN_MAX_SIDE + 1; side += MTCNN_MAX_SIDE + 2) {
        mtcnn_options options = good;
        options.max_side = side;
        CHECK(mtcnn_detector_create(&detector, model, &options, &error) == MTCNN_ERROR_ARGUMENT);
        CHECK_HOLDS(error.message, "max_side");
        options = good;
        options.final_nms = (mtcnn_final_nms)(side < 0 ? side : 3);
        CHECK(mtcnn_detector_create(&detector, model, &options, &error) == MTCNN_ERROR_ARGUMENT);
        CHECK_HOLDS(error.message, "final_nms");
    }
    for (double border = -0.25; border <= 0.5; border += 0.75) {
        mtcnn_options options = good;
        options.border = border;
        CHECK(mtcnn_detector_create(&detector, model, &options, &error) == MTCNN_ERROR_ARGUMENT);
        CHECK_HOLDS(error.message, "at least 0 and below 0.5");
    }
    mtcnn_options later = good;
    later.reserved[0] = 1;
    CHECK(mtcnn_detector_create(&detector, model, &later, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK_HOLDS(error.message, "mtcnn_options: reserved[0] is not zero");
    const int boxes[] = {0, -1, MTCNN_MAX_BOXES + 1};
    for (int i = 0; i < 3; i++) {
        mtcnn_options options = good;
        options.max_boxes[i] = boxes[i];
        CHECK(mtcnn_detector_create(&detector, model, &options, &error) == MTCNN_ERROR_ARGUMENT);
        CHECK_HOLDS(error.message, "each 1 to 1000000");
        CHECK_HOLDS(error.message, "max_boxes");
    }
    detector = (mtcnn_detector *)&good;
    CHECK(mtcnn_detector_create(&detector, NULL, NULL, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(!detector);
    CHECK(mtcnn_detector_create(NULL, model, NULL, NULL) == MTCNN_ERROR_ARGUMENT);
}

static void images_are_checked(const mtcnn_model *model)
{
    uint8_t *pixels = random_pixels(64 * 64 * 3);
    mtcnn_detector *detector = create(model, NULL);
    mtcnn_result result;
    const mtcnn_image wrong[] = {
        {NULL, 64, 64, 192, MTCNN_RGB},        {pixels, 0, 64, 192, MTCNN_RGB},
        {pixels, 64, -1, 192, MTCNN_RGB},      {pixels, 64, 64, 191, MTCNN_RGB},
        {pixels, 64, 64, -191, MTCNN_RGB},     {pixels, 64, 64, 192, MTCNN_RGBA},
        {pixels, 64, 64, 192, (mtcnn_color)5}, {pixels, 2000000, 64, 9000000, MTCNN_RGB},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        result.count = 99;
        CHECK(mtcnn_detect(detector, &wrong[i], &result, &error) == MTCNN_ERROR_ARGUMENT);
        CHECK(result.count == 0 && result.faces == NULL);
        CHECK(error.message[0]);
    }
    CHECK(mtcnn_detect(detector, NULL, &result, &error) == MTCNN_ERROR_ARGUMENT);
    result.count = 99;
    CHECK(mtcnn_detect(NULL, &wrong[0], &result, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(result.count == 0);
    /* and the detector still works */
    const mtcnn_image good = {pixels, 64, 64, 192, MTCNN_RGB};
    CHECK(mtcnn_detect(detector, &good, &result, &error) == MTCNN_OK);
    CHECK(error.message[0] == '\0');
    mtcnn_detector_free(&detector);
    CHECK(!detector);
    mtcnn_detector_free(&detector);
    mtcnn_detector_free(NULL);
    free(pixels);
}

static void small_pictures_have_no_face(const mtcnn_model *model)
{
    uint8_t *pixels = random_pixels(3 * 20000 * 3);
    mtcnn_detector *detector = create(model, NULL);
    const int sizes[][2] = {{1, 1}, {19, 500}, {3, 20000}, {20000, 3}, {19, 19}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int w = sizes[i][0], h = sizes[i][1];
        mtcnn_result result;
        CHECK(mtcnn_detect(detector, &(mtcnn_image){pixels, w, h, 3 * w, MTCNN_RGB}, &result,
                           &error) == MTCNN_OK);
        CHECK(result.count == 0 && result.levels == 0);
    }
    mtcnn_result result;
    CHECK(mtcnn_detect(detector, &(mtcnn_image){pixels, 20, 20, 60, MTCNN_RGB}, &result, &error) ==
          MTCNN_OK);
    CHECK(result.levels == 1 && result.stages[0].inputs == 1);
    mtcnn_detector_free(&detector);

    mtcnn_options options;
    mtcnn_model_options(model, &options);
    options.scale_factor = 0.9999;
    detector = create(model, &options);
    CHECK(mtcnn_detect(detector, &(mtcnn_image){pixels, 200, 200, 600, MTCNN_RGB}, &result,
                       &error) == MTCNN_ERROR_ARGUMENT);
    CHECK_HOLDS(error.message, "scale_factor");
    mtcnn_detector_free(&detector);
    free(pixels);
}

/* Threads, earlier pictures, strides and padding of rows change nothing, bit for bit. */
static void results_are_reproducible(const mtcnn_model *model)
{
    enum { W = 230, H = 171, STRIDE = 3 * W + 17 };
    uint8_t *pixels = random_pixels((size_t)STRIDE * H);
    uint8_t *packed = malloc(3 * W * H);
    REQUIRE(packed);
    for (int y = 0; y < H; y++)
        memcpy(packed + (size_t)y * 3 * W, pixels + (size_t)y * STRIDE, 3 * W);
    const mtcnn_image image = {pixels, W, H, STRIDE, MTCNN_RGB};
    const mtcnn_image same = {packed, W, H, 3 * W, MTCNN_RGB};
    const mtcnn_image other = {packed, 100, 90, 3 * W, MTCNN_RGB};

    mtcnn_detector *detector = create(model, NULL);
    mtcnn_result result;
    CHECK(!mtcnn_detect(detector, &image, &result, &error));
    CHECK(result.count > 3); /* otherwise this test proves nothing */
    CHECK(result.stages[0].count >= result.stages[1].inputs);
    CHECK(result.stages[1].count == result.stages[2].inputs);
    for (int i = 0; i < result.count; i++) {
        const mtcnn_face *face = &result.faces[i];
        CHECK(i == 0 || face->score <= result.faces[i - 1].score);
        CHECK(face->box[0] >= 0 && face->box[1] >= 0 && face->box[2] <= W && face->box[3] <= H);
        CHECK(face->box[0] < face->box[2] && face->box[1] < face->box[3]);
        CHECK(face->score >= 0.5f && face->score <= 1.0f);
    }
    const int count = result.count;
    mtcnn_face *faces = copy_faces(&result);
    const size_t memory = mtcnn_detector_memory(detector);

    CHECK(!mtcnn_detect(detector, &other, &result, &error));
    CHECK(!mtcnn_detect(detector, &same, &result, &error));
    CHECK(result.count == count && !memcmp(faces, result.faces, sizeof *faces * (size_t)count));
    CHECK(mtcnn_detector_memory(detector) == memory);
    mtcnn_detector_free(&detector);

    mtcnn_options options;
    mtcnn_model_options(model, &options);
    for (options.threads = 2; options.threads <= 5; options.threads++) {
        detector = create(model, &options);
        CHECK(!mtcnn_detect(detector, &image, &result, &error));
        CHECK(result.count == count && !memcmp(faces, result.faces, sizeof *faces * (size_t)count));
        mtcnn_detector_free(&detector);
    }

    options.threads = 1;
    options.clip = 0;
    detector = create(model, &options);
    CHECK(!mtcnn_detect(detector, &image, &result, &error));
    CHECK(result.count == count);
    for (int i = 0; i < result.count && i < count; i++)
        CHECK(result.faces[i].box[0] <= faces[i].box[0] &&
              result.faces[i].box[2] >= faces[i].box[2]);
    mtcnn_detector_free(&detector);
    free(faces);
    free(packed);
    free(pixels);
}

static mtcnn_result detect(mtcnn_detector *detector, const mtcnn_image *image)
{
    mtcnn_result result;
    CHECK(!mtcnn_detect(detector, image, &result, &error));
    return result;
}

/* Fewer boxes are the first ones, for any number of threads; a stage gets what one passes on. */
static void boxes_are_capped(const mtcnn_model *model)
{
    enum { W = 230, H = 171 };
    uint8_t *pixels = random_pixels(3 * W * H);
    const mtcnn_image image = {pixels, W, H, 3 * W, MTCNN_RGB};
    mtcnn_options own, options;
    mtcnn_model_options(model, &own);
    mtcnn_detector *without = create(model, &own);
    const mtcnn_result all = detect(without, &image);
    CHECK(all.stages[0].count > 500 && all.stages[1].count > 5 && all.count > 2);
    const int caps[][3] = {{1, 1, 1}, {40, 1, 1}, {300, 5, 2}, {500, 1000, 1}};
    for (size_t c = 0; c < sizeof caps / sizeof *caps; c++) {
        options = own;
        memcpy(options.max_boxes, caps[c], sizeof caps[c]);
        mtcnn_face *faces = NULL;
        int count = 0;
        for (options.threads = 1; options.threads <= 4; options.threads++) {
            mtcnn_detector *detector = create(model, &options);
            for (int round = 0; round < 3; round++) {
                const mtcnn_result result = detect(detector, &image);
                for (int s = 0; s < 3; s++)
                    CHECK(result.stages[s].count <= caps[c][s]);
                CHECK(result.stages[0].count > 0);
                CHECK(result.stages[1].inputs == result.stages[0].count);
                CHECK(result.stages[2].inputs == result.stages[1].count);
                if (!faces) {
                    faces = copy_faces(&result);
                    count = result.count;
                }
                CHECK(result.count == count);
                CHECK(!count || !memcmp(faces, result.faces, sizeof *faces * (size_t)count));
            }
            mtcnn_detector_free(&detector);
        }
        free(faces);
    }
    /* PNet's best box is the best of all; ONet's first boxes are the first of all. */
    options = own;
    options.max_boxes[0] = 1;
    mtcnn_detector *detector = create(model, &options);
    mtcnn_result few = detect(detector, &image);
    CHECK(few.stages[0].count == 1 &&
          !memcmp(few.stages[0].faces, all.stages[0].faces, sizeof(mtcnn_face)));
    mtcnn_detector_free(&detector);
    options = own;
    options.max_boxes[2] = 2;
    detector = create(model, &options);
    few = detect(detector, &image);
    CHECK(few.count == 2 && !memcmp(few.faces, all.faces, 2 * sizeof(mtcnn_face)));
    CHECK(few.stages[1].count == all.stages[1].count);
    mtcnn_detector_free(&detector);
    mtcnn_detector_free(&without);
    free(pixels);
}

/* Every cell of every level as a candidate: slow, but not an error. */
static void thresholds_of_zero(const mtcnn_model *model)
{
    uint8_t *pixels = random_pixels(90 * 70);
    mtcnn_options options;
    mtcnn_model_options(model, &options);
    memset(options.thresholds, 0, sizeof options.thresholds);
    mtcnn_detector *detector = create(model, &options);
    mtcnn_result result;
    CHECK(!mtcnn_detect(detector, &(mtcnn_image){pixels, 90, 70, 90, MTCNN_GRAY}, &result, &error));
    CHECK(result.stages[0].count > 10 && result.count > 0);
    mtcnn_detector_free(&detector);
    free(pixels);
}

static void refuse_data(const char *text, int status, const char *part)
{
    mtcnn_model *model = (mtcnn_model *)&error;
    test_write_text("test_bad.data", text);
    CHECK(mtcnn_model_load(&model, "test_bad.data", &error) == status);
    CHECK(!model);
    CHECK_HOLDS(error.message, part);
}

static void bad_models(void)
{
#define COMMON_BUT_BOXES \
    "thresholds = 0.6, 0.7, 0.7\nscale_factor = 0.709\nnms = 0.5, 0.7, 0.7, 0.7\nmean = 127.5\n" \
    "norm = 0.0078125\n"
#define COMMON COMMON_BUT_BOXES "max_boxes = 65536, 16384, 16384\n"
#define MOST COMMON "color = RGB\npad = 0\n"
#define WITHOUT_COLOR COMMON "min_face = 20\npad = 0\n"
#define SETTINGS MOST "min_face = 20\n"
    refuse_data("", MTCNN_ERROR_CFG, "test_bad.data: has no line 'min_face = ...'");
    refuse_data(SETTINGS, MTCNN_ERROR_CFG, "has no line 'pnet_cfg = ...'");
    refuse_data(SETTINGS "pnet_cfg = absent.cfg\npnet_weights = x\n", MTCNN_ERROR_FILE,
                "absent.cfg");
    refuse_data(SETTINGS "pnet_cfg = " CFG_FOLDER "/pnet.cfg\npnet_weights = absent.weights\n",
                MTCNN_ERROR_FILE, "absent.weights");
    refuse_data(SETTINGS "pnet_cfg = " CFG_FOLDER "/pnet.cfg\npnet_weights = test_rnet.weights\n",
                MTCNN_ERROR_WEIGHTS, "test_rnet.weights");
    refuse_data(SETTINGS "pnet_cfg = " CFG_FOLDER "/onet.cfg\npnet_weights = test_onet.weights\n",
                MTCNN_ERROR_MODEL, "pnet must give 5 channels of 1x1 pixel; it gives 15");
    refuse_data(SETTINGS "pnet_cfg = " CFG_FOLDER "/rnet.cfg\npnet_weights = test_rnet.weights\n"
                         "rnet_cfg = " CFG_FOLDER "/onet.cfg\nrnet_weights = test_onet.weights\n",
                MTCNN_ERROR_MODEL, "rnet must give 5 channels");
    refuse_data("treshold = 1\n" SETTINGS, MTCNN_ERROR_CFG, ":1: unknown key 'treshold'");
    refuse_data(MOST "min_face = 0\n", MTCNN_ERROR_CFG,
                ":9: min_face=0: must be a number of pixels, 1 to 1000000");
    refuse_data(MOST "min_face = 0X14\n", MTCNN_ERROR_CFG, "min_face=0X14");
    refuse_data("pnet_cfg pnet_weights = x\n" SETTINGS, MTCNN_ERROR_CFG, "unknown key");
    refuse_data(SETTINGS "pad = 1\n", MTCNN_ERROR_CFG, ":10: 'pad' is already in line 8");
    refuse_data(WITHOUT_COLOR "color = GREY\n", MTCNN_ERROR_CFG,
                ":9: color=GREY: must be RGB or BGR");

    const char *const boxes[] = {"0, 1, 1", "1, 1000001, 1", "1, 1, 1.5", "1, 1, -1"};
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        char text[512];
        snprintf(text, sizeof text, COMMON_BUT_BOXES "min_face = 20\nmax_boxes = %s\n", boxes[i]);
        refuse_data(text, MTCNN_ERROR_CFG, ": must be three whole numbers, each 1 to 1000000");
        CHECK_HOLDS(error.message, boxes[i]);
    }
    refuse_data(COMMON_BUT_BOXES "min_face = 20\nmax_boxes = 1, 1\n", MTCNN_ERROR_CFG,
                "max_boxes=1, 1: must be three whole numbers");
    refuse_data(COMMON_BUT_BOXES "min_face = 20\n", MTCNN_ERROR_CFG, "has no line 'max_boxes");
    refuse_data(SETTINGS "[net]\n", MTCNN_ERROR_CFG, "no sections");
    mtcnn_model *model;
    CHECK(mtcnn_model_load(&model, "absent.data", &error) == MTCNN_ERROR_FILE);
    CHECK_HOLDS(error.message, "absent.data");
    CHECK(mtcnn_model_load(NULL, "absent.data", &error) == MTCNN_ERROR_ARGUMENT);
    const int status = mtcnn_model_load(&model, NULL, &error);
    CHECK(status == (mtcnn_has_builtin_model() ? MTCNN_OK : MTCNN_ERROR_MODEL));
    mtcnn_model_free(&model);
    mtcnn_model_free(&model);
    mtcnn_model_free(NULL);
    refuse_data(COMMON "color = RGB\nmin_face = 20\npad = 256\n", MTCNN_ERROR_CFG,
                ":9: pad=256: must be a number, 0 to 255");
    remove("test_bad.data");
}

#define PNET_HEADS \
    "[convolutional]\nfilters=1\nactivation=logistic\n[route]\nlayers=-2\n" \
    "[convolutional]\nfilters=4\nactivation=linear\n[route]\nlayers=-3,-1\n"

static void refuse_pnet(int side, const char *layers, const char *part)
{
    char cfg[2048];
    snprintf(cfg, sizeof cfg, "[net]\nwidth=%d\nheight=%d\nchannels=3\n%s" PNET_HEADS, side, side,
             layers);
    test_write_text("test_bad.cfg", cfg);
    mtcnn_network *network = NULL;
    REQUIRE(!mtcnn_network_load(&network, "test_bad.cfg", NULL, &error));
    FILE *file = fopen("test_bad.weights", "wb");
    REQUIRE(file);
    for (size_t i = 0; i < 5 + mtcnn_network_weights(network); i++) {
        const int32_t version = i == 1 ? 2 : 0;
        fwrite(&version, 4, 1, file);
    }
    REQUIRE(!fclose(file));
    mtcnn_network_free(&network);
    refuse_data(SETTINGS "pnet_cfg = test_bad.cfg\npnet_weights = test_bad.weights\n"
                         "rnet_cfg = " CFG_FOLDER "/rnet.cfg\nrnet_weights = test_rnet.weights\n"
                         "onet_cfg = " CFG_FOLDER "/onet.cfg\nonet_weights = test_onet.weights\n",
                MTCNN_ERROR_MODEL, part);
    remove("test_bad.cfg");
    remove("test_bad.weights");
    remove("test_bad.data");
}

/* PNets whose cells would not be the same in the middle of a picture. */
static void bad_pnets(void)
{
#define STRIDE_1024 "[maxpool]\nsize=1\nstride=1024\npadding=0\n"
    refuse_pnet(1, STRIDE_1024 STRIDE_1024 STRIDE_1024 STRIDE_1024, "one grid");
    refuse_pnet(11,
                "[convolutional]\nfilters=2\nsize=3\nactivation=leaky\n"
                "[maxpool]\nsize=2\nstride=2\npadding=1\n"
                "[convolutional]\nfilters=2\nsize=5\nactivation=leaky\n",
                "padding");
    refuse_pnet(3, "[convolutional]\nfilters=2\nsize=5\npad=1\nstride=3\nactivation=leaky\n",
                "padding");
    refuse_pnet(4, "[avgpool]\n", "fully convolutional");
}

static void constant_texts(void)
{
    for (int status = 1; status >= -10; status--)
        CHECK(mtcnn_strerror(status) && *mtcnn_strerror(status));
    CHECK(strchr(mtcnn_version(), '.'));
}

int main(void)
{
    mtcnn_model *model = random_model(0.5);
    options_are_checked(model);
    images_are_checked(model);
    small_pictures_have_no_face(model);
    results_are_reproducible(model);
    boxes_are_capped(model);
    thresholds_of_zero(model);
    bad_models();
    bad_pnets();
    constant_texts();
    mtcnn_model_free(&model);
    remove_random_model();
    return test_end();
}
