/* The public table of settings: its rows, values from text, rules and help. */
#include <math.h>
#include <stddef.h>

#include "settings.h"
#include "test.h"

static const mtcnn_setting *row(const char *name)
{
    const mtcnn_setting *settings = mtcnn_settings(NULL);
    int i = 0;
    while (strcmp(settings[i].name, name))
        i++;
    return &settings[i];
}

static void rows(void)
{
    int count;
    const mtcnn_setting *settings = mtcnn_settings(&count);
    CHECK(mtcnn_settings(NULL) == settings && count > 30 && count <= MTCNN_MAX_SETTINGS);
    for (int i = 0; i < count; i++) {
        CHECK(row(settings[i].name) == &settings[i]);
        CHECK(settings[i].count >= 1 && settings[i].count <= 4);
        CHECK(!settings[i].option == !settings[i].group &&
              !settings[i].option == !settings[i].help);
        CHECK((settings[i].type == MTCNN_CHOICE) == (settings[i].choices != NULL));
    }
    CHECK(row("max_side")->offset == offsetof(mtcnn_options, max_side));
    CHECK(row("beta")->owner == MTCNN_OF_TRACKER);
}

static void refuse(const char *name, const char *text, const char *rule)
{
    union {
        mtcnn_options detector;
        mtcnn_tracker_options tracker;
        double number;
        const char *text;
    } values, before;
    mtcnn_error error;
    memset(&values, 0x5a, sizeof values);
    before = values;
    CHECK(mtcnn_setting_parse(row(name), text, &values, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK_HOLDS(error.message, rule);
    CHECK(!memcmp(&values, &before, sizeof values)); /* nothing stored */
}

static void values(void)
{
    mtcnn_options options = {.clip = 1};
    mtcnn_error error;
    CHECK(!mtcnn_setting_parse(row("thresholds"), "0.6, 0.5 ,1", &options, &error));
    CHECK(options.thresholds[0] == 0.6f && options.thresholds[2] == 1.0f && !*error.message);
    CHECK(!mtcnn_setting_parse(row("max_boxes"), "1,2e3,5.0", &options, NULL));
    CHECK(options.max_boxes[1] == 2000 && options.max_boxes[2] == 5);
    CHECK(!mtcnn_setting_parse(row("final_nms"), "soft", &options, NULL));
    CHECK(options.final_nms == MTCNN_NMS_SOFT);
    CHECK(!mtcnn_setting_parse(row("clip"), NULL, &options, NULL) && options.clip == 0);
    CHECK(!mtcnn_setting_parse(row("clip"), "1", &options, NULL) && options.clip == 1);
    const char *path;
    CHECK(!mtcnn_setting_parse(row("out"), "a b", &path, NULL) && !strcmp(path, "a b"));
    mtcnn_tracker_options tracker;
    CHECK(!mtcnn_setting_parse(row("beta"), "1e39", &tracker, NULL) && tracker.beta == 1e39);

    refuse("min_face", "0", "min_face 0: must be a number of pixels, 1 to 1000000");
    refuse("min_face", "", "min_face '': must be a number of pixels");
    refuse("min_face", "0x20", "a number of pixels");
    refuse("thresholds", "0.6,0.5", "three numbers, each 0 to 1");
    refuse("thresholds", "0.6,0.5,1.00000001", "three numbers, each 0 to 1");
    refuse("max_boxes", "1,2,2.5", "three whole numbers");
    refuse("max_side", "0", "a whole number of pixels, 1 to 1000000");
    refuse("final_nms", "sof", "hard or soft");
    refuse("clip", "7", "0 or 1");
    refuse("clip", "1e300", "0 or 1");
    refuse("beta", "inf", "a number, at least 0");
    refuse("out", "", "the path of");
    refuse("min_face", NULL, "a number of pixels");
}

static void checks(void)
{
    mtcnn_tracker_options options;
    mtcnn_error error;
    memset(&options, 0x5a, sizeof options);
    mt_settings_default(MTCNN_OF_TRACKER, &options);
    CHECK(options.every == 10 && options.min_score == 0.6f && options.smoothing == 0.15);
    CHECK(!mt_settings_check(MTCNN_OF_TRACKER, &options, &error));
    options.smoothing = NAN;
    CHECK(mt_settings_check(MTCNN_OF_TRACKER, &options, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK_HOLDS(error.message, "smoothing nan: must be a number of seconds, 0 to 60");
}

/* Text that does not fit is cut, and its length is that of the whole. */
static void texts(void)
{
    char text[600], part[8];
    mtcnn_options options = {.scale_factor = 0.709};
    const int rule = mtcnn_setting_rule(row("stage"), text, sizeof text);
    CHECK(!strcmp(text, "pnet, rnet or onet") && rule == (int)strlen(text));
    CHECK(mtcnn_setting_rule(row("stage"), part, sizeof part) == rule && !strcmp(part, "pnet, r"));
    mtcnn_setting_help(row("scale_factor"), &options, text, sizeof text);
    CHECK_HOLDS(text, "(a number above 0 and below 1; default: the model's, 0.709)");
    mtcnn_setting_help(row("scale_factor"), NULL, text, sizeof text);
    CHECK_HOLDS(text, "default: the model's)");
    mtcnn_setting_help(row("track"), NULL, text, sizeof text);
    CHECK(!strchr(text, '('));
    CHECK(mtcnn_setting_help(row("nms"), NULL, part, 0) >= 0);
}

int main(void)
{
    rows();
    values();
    checks();
    texts();
    return test_end();
}
