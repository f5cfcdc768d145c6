#include "config.h"
#include "test.h"

static int read_text(mt_config *config, const char *text, mtcnn_error *error)
{
    test_write_text("test_config.cfg", text);
    return mt_config_read(config, "test_config.cfg", false, error);
}

static void parsing(void)
{
    mt_config config;
    mtcnn_error error;
    REQUIRE(!read_text(
        &config,
        "\xEF\xBB\xBF# comment\r\n; another\r\n  [net]\r\n width = 12 \r\nheight=24\r\n\r\n"
        "[ ro ute ]\nlayers = -1 , -4\nwid th=1\nwidth=2",
        &error));
    CHECK(config.count == 3);
    CHECK(!strcmp(config.sections[0].name, "") && config.sections[0].count == 0);
    CHECK(!strcmp(config.sections[1].name, "net") && config.sections[1].line == 3);
    CHECK(!strcmp(config.sections[2].name, "route"));

    int value, *list, count;
    CHECK(!mt_option_int_required(&config.sections[1], "width", 1, 100, &value, &error));
    CHECK(value == 12);
    CHECK(!mt_option_int(&config.sections[2], "width", 0, 0, 100, &value, &error));
    CHECK(value == 1); /* the first one counts */
    CHECK(!mt_option_int(&config.sections[2], "absent", 5, 0, 100, &value, &error));
    CHECK(value == 5);
    REQUIRE(!mt_option_int_list(&config.sections[2], "layers", &list, &count, &error));
    CHECK(count == 2 && list[0] == -1 && list[1] == -4);
    free(list);
    CHECK(mt_option_int_required(&config.sections[1], "depth", 1, 9, &value, &error) ==
          MTCNN_ERROR_CFG);
    CHECK_HOLDS(error.message, "test_config.cfg:3: [net] has no line 'depth=...'");
    mt_config_free(&config);
}

static void comments(void)
{
    mt_config config;
    mtcnn_error error;
    REQUIRE(!read_text(
        &config, "a = my #1;2#/x  # it\n;b\nc=#d\n[net]# x\nwidth=12#x\nheight=24 ; y=1\n# z\n",
        &error));
    const mt_section *data = &config.sections[0], *net = &config.sections[1];
    CHECK(config.count == 2 && data->count == 2 && net->count == 2);
    CHECK(!strcmp(data->options[0].value, "my")); /* a path with a blank before # cannot be given */
    CHECK(!strcmp(data->options[1].value, "#d") && data->options[1].line == 3);
    CHECK(!strcmp(net->name, "net") && !strcmp(net->options[0].value, "12"));
    CHECK(!strcmp(net->options[1].value, "24"));
    mt_config_free(&config);
    CHECK(read_text(&config, "[net]\nwid#th=1", &error) == MTCNN_ERROR_CFG);
    CHECK_HOLDS(error.message, "test_config.cfg:2: 'wid' is neither");
}

static void nearest(const char *word, const char *names, const char *expected)
{
    char found[16] = "x";
    CHECK(mtcnn_nearest(word, names, found, sizeof found) == (int)strlen(expected));
    CHECK(!strcmp(found, expected));
}

/* A letter in three may be wrong, swapped, too many or missing; beginnings count, too. */
static void nearest_names(void)
{
    nearest("filtres", "size filters groups", "filters");
    nearest("FILTERS", "size filters groups", "filters");
    nearest("min-fcae", "min_size min_face", "min_face");
    nearest("treshold", " threads thresholds", "thresholds");
    nearest("pad", "size padding", "padding");
    nearest("sizes_of_all", "size padding", "size");
    nearest("siz", "sizes size", "size");
    nearest("si", "sizes", "");
    nearest("x", "y", "");
    nearest("", "a b", "");
    nearest("anything", "", "");
    nearest("speed", "size stride", "");
    char found[4], lengthy[3000];
    CHECK(mtcnn_nearest("sizf", "size", found, 3) == 4 && !strcmp(found, "si"));
    memset(lengthy, 'a', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    CHECK(mtcnn_nearest(lengthy, "aaaa", found, sizeof found) == 0);
    CHECK(mtcnn_nearest("aaaa", lengthy, found, sizeof found) == 0);
}

static void numbers(void)
{
    mt_config config;
    mtcnn_error error;
    REQUIRE(!read_text(
        &config,
        "a = 0.5, 1e-2 ,3\nb = 1,2\nc = 1,x,3\nd = inf,1,1\ne=12x\nf = my folder/pnet.cfg \n",
        &error));
    const mt_section *data = &config.sections[0];
    float values[3];
    int value;
    CHECK(!mt_option_floats(data, "a", 3, values, &error));
    CHECK(values[0] == 0.5f && values[1] == 0.01f && values[2] == 3.0f);
    CHECK(mt_option_floats(data, "b", 3, values, &error) == MTCNN_ERROR_CFG);
    CHECK(mt_option_floats(data, "c", 3, values, &error) == MTCNN_ERROR_CFG);
    CHECK(mt_option_floats(data, "d", 3, values, &error) == MTCNN_ERROR_CFG);
    const char *path;
    CHECK(!mt_option_text(data, "f", &path, &error) && !strcmp(path, "my folder/pnet.cfg"));
    CHECK(mt_option_int(data, "e", 0, 0, 99, &value, &error) == MTCNN_ERROR_CFG);
    CHECK_HOLDS(error.message, "test_config.cfg:5: e=12x");
    CHECK(mt_option_floats(data, "z", 3, values, &error) == MTCNN_ERROR_CFG);
    CHECK_HOLDS(error.message, "has no line 'z = ...'");
    mt_config_free(&config);
}

static void broken(void)
{
    mt_config config;
    mtcnn_error error;
    CHECK(read_text(&config, "[net\nwidth=1\n", &error) == MTCNN_ERROR_CFG);
    CHECK_HOLDS(error.message, "test_config.cfg:1:");
    CHECK(read_text(&config, "[net]\nwidth\n", &error) == MTCNN_ERROR_CFG);
    CHECK_HOLDS(error.message, "test_config.cfg:2:");
    CHECK(read_text(&config, "=5", &error) == MTCNN_ERROR_CFG);
    CHECK(mt_config_read(&config, "no/such/file.cfg", false, &error) == MTCNN_ERROR_FILE);
    CHECK_HOLDS(error.message, "no/such/file.cfg");
    CHECK(mt_config_read(&config, ".", false, &error) == MTCNN_ERROR_FILE);
    CHECK(mt_config_read(&config, "/dev/zero", false, NULL) != MTCNN_OK);
    test_write("test_config.cfg", "[net]\0x", 7);
    CHECK(mt_config_read(&config, "test_config.cfg", false, &error) == MTCNN_ERROR_CFG);
    CHECK(!read_text(&config, "", &error)); /* callers check for empty files */
    CHECK(config.count == 1);
    mt_config_free(&config);
}

int main(void)
{
    parsing();
    comments();
    nearest_names();
    numbers();
    broken();
    remove("test_config.cfg");
    return test_end();
}
