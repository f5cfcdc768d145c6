#include "config.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decimal.h"
#include "error.h"
#include "file.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts the blanks (and a DOS line's \r) off both ends. */
static char *trim(char *text)
{
    while (is_blank(*text))
        text++;
    char *end = text + strlen(text);
    while (end > text && is_blank(end[-1]))
        end--;
    *end = '\0';
    return text;
}

/* Takes all blanks out, as Darknet does. */
static char *squeeze(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++)
        if (!is_blank(*from))
            *to++ = *from;
    *to = '\0';
    return text;
}

/*
 * Cuts off a comment. Where values may be paths, which may hold # and ;, it begins after a blank
 * alone.
 */
static void cut_comment(char *line, bool paths)
{
    for (char *c = line; *c; c++) {
        if ((*c == '#' || *c == ';') && (!paths || c == line || is_blank(c[-1]))) {
            *c = '\0';
            return;
        }
    }
}

static int parse_line(mt_config *config, char *line, int number, mtcnn_error *error)
{
    mt_section *section = &config->sections[config->count - 1];
    /* Before the first section are a .data file's lines, whose values may be paths. */
    const bool paths = !*section->name;
    line = trim(line);
    cut_comment(line, paths && *line != '[');
    line = trim(line);
    if (!*line)
        return MTCNN_OK;

    if (*line == '[') {
        size_t length = strlen(line);
        if (length < 3 || line[length - 1] != ']')
            return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: '%s' is not a section like [net]",
                           config->path, number, line);
        line[length - 1] = '\0';
        config->sections[config->count++] = (mt_section){config->path, squeeze(line + 1), number, 0,
                                                         section->options + section->count};
        return MTCNN_OK;
    }

    char *equals = strchr(line, '=');
    if (!equals || equals == line)
        return mt_fail(error, MTCNN_ERROR_CFG,
                       "%s:%d: '%s' is neither a section, nor key=value, nor a comment",
                       config->path, number, line);
    *equals = '\0';
    char *(*clean)(char *) = paths ? trim : squeeze; /* paths may hold blanks, too */
    section->options[section->count++] = (mt_option){clean(line), clean(equals + 1), number};
    return MTCNN_OK;
}

int mt_config_read(mt_config *config, const char *path, bool builtin, mtcnn_error *error)
{
    size_t size;
    *config = (mt_config){0};
    int status = mt_read_file(path, builtin, &config->text, &size, error);
    if (status)
        return status;
    if (memchr(config->text, '\0', size)) {
        mt_config_free(config);
        return mt_fail(error, MTCNN_ERROR_CFG, "%s: not a text file (it has zero bytes)", path);
    }

    size_t lines = 1;
    for (const char *c = config->text; *c; c++)
        lines += *c == '\n';
    config->path = malloc(strlen(path) + 1);
    config->sections = calloc(lines + 1, sizeof *config->sections);
    config->options = calloc(lines, sizeof *config->options);
    if (!config->path || !config->sections || !config->options || lines > INT_MAX) {
        mt_config_free(config);
        return mt_fail_memory(error, path, size);
    }
    strcpy(config->path, path);
    config->count = 1;
    config->sections[0] = (mt_section){config->path, "", 1, 0, config->options};

    int number = 0;
    char *begin = config->text;
    if (!strncmp(begin, "\xEF\xBB\xBF", 3)) /* UTF-8's byte order mark */
        begin += 3;
    for (char *line = begin; line && !status;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        status = parse_line(config, line, ++number, error);
        line = end ? end + 1 : NULL;
    }
    if (status)
        mt_config_free(config);
    return status;
}

void mt_config_free(mt_config *config)
{
    free(config->path);
    free(config->text);
    free(config->sections);
    free(config->options);
    *config = (mt_config){0};
}

const mt_option *mt_option_find(const mt_section *section, const char *key)
{
    for (int i = 0; i < section->count; i++)
        if (!strcmp(section->options[i].key, key))
            return &section->options[i];
    return NULL;
}

/* How messages name a section: the unnamed one is the file itself. */
static int fail_missing(const mt_section *section, const char *key, mtcnn_error *error)
{
    if (!*section->name)
        return mt_fail(error, MTCNN_ERROR_CFG, "%s: has no line '%s = ...'", section->path, key);
    return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: [%s] has no line '%s=...'", section->path,
                   section->line, section->name, key);
}

int mt_fail_option(const mt_section *section, const char *key, const char *rule, mtcnn_error *error)
{
    const mt_option *option = mt_option_find(section, key);
    return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: %s=%s: must be %s", section->path, option->line,
                   key, option->value, rule);
}

/* One integer at text, which must end at a comma or the end; *end points there. */
static int parse_int(const mt_section *section, const mt_option *option, const char *text,
                     char **end, int *value, mtcnn_error *error)
{
    errno = 0;
    long number = strtol(text, end, 10);
    bool digits = *end != text;
    while (is_blank(**end))
        ++*end;
    if (!digits || (**end && **end != ','))
        return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: %s=%s: a whole number was expected",
                       section->path, option->line, option->key, option->value);
    if (errno || number > INT_MAX || number < INT_MIN)
        number = number > 0 ? INT_MAX : INT_MIN; /* out of every range that is asked for */
    *value = (int)number;
    return MTCNN_OK;
}

int mt_option_int(const mt_section *section, const char *key, int fallback, int minimum,
                  int maximum, int *value, mtcnn_error *error)
{
    const mt_option *option = mt_option_find(section, key);
    if (!option) {
        *value = fallback;
        return MTCNN_OK;
    }
    char *end;
    int status = parse_int(section, option, option->value, &end, value, error);
    if (status)
        return status;
    if (*end || *value < minimum || *value > maximum)
        return mt_fail(error, MTCNN_ERROR_CFG,
                       "%s:%d: [%s] %s=%s: one whole number from %d to %d was expected",
                       section->path, option->line, section->name, key, option->value, minimum,
                       maximum);
    return MTCNN_OK;
}

int mt_option_int_required(const mt_section *section, const char *key, int minimum, int maximum,
                           int *value, mtcnn_error *error)
{
    if (!mt_option_find(section, key))
        return fail_missing(section, key, error);
    return mt_option_int(section, key, 0, minimum, maximum, value, error);
}

static int count_fields(const char *text)
{
    int count = 1;
    for (; *text; text++)
        count += *text == ',';
    return count;
}

int mt_option_floats(const mt_section *section, const char *key, int count, float *values,
                     mtcnn_error *error)
{
    const mt_option *option = mt_option_find(section, key);
    if (!option)
        return fail_missing(section, key, error);
    const char *text = option->value;
    bool good = count_fields(text) == count;
    for (int i = 0; i < count && good; i++) {
        const char *end;
        values[i] = (float)mt_parse_decimal(text, &end);
        good = end != text;
        while (is_blank(*end))
            end++;
        good = good && *end == (i + 1 < count ? ',' : '\0') && isfinite(values[i]);
        text = end + 1;
    }
    if (!good)
        return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: %s=%s: %d number%s expected", section->path,
                       option->line, option->key, option->value, count,
                       count == 1 ? " was" : "s with commas between them were");
    return MTCNN_OK;
}

int mt_option_int_list(const mt_section *section, const char *key, int **values, int *count,
                       mtcnn_error *error)
{
    const mt_option *option = mt_option_find(section, key);
    if (!option)
        return fail_missing(section, key, error);
    *count = count_fields(option->value);
    *values = calloc((size_t)*count, sizeof **values);
    if (!*values)
        return mt_fail_memory(error, key, (size_t)*count * sizeof **values);
    const char *text = option->value;
    for (int i = 0; i < *count; i++) {
        char *end;
        int status = parse_int(section, option, text, &end, &(*values)[i], error);
        if (status) {
            free(*values);
            *values = NULL;
            return status;
        }
        text = end + 1;
    }
    return MTCNN_OK;
}

int mt_option_text(const mt_section *section, const char *key, const char **value,
                   mtcnn_error *error)
{
    const mt_option *option = mt_option_find(section, key);
    if (!option || !*option->value)
        return fail_missing(section, key, error);
    *value = option->value;
    return MTCNN_OK;
}
