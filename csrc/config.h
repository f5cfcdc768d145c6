/* config.h: Darknet's text form, [sections] of key=value lines, as .cfg and .data files use it. */
#ifndef MT_CONFIG_H
#define MT_CONFIG_H

#include <stdbool.h>

#include "mtcnn.h"

typedef struct mt_option {
    const char *key;
    const char *value;
    int line; /* 1-based */
} mt_option;

typedef struct mt_section {
    const char *path; /* of the file, for messages */
    const char *name; /* without brackets; "" for the lines before the first section */
    int line;
    int count;
    mt_option *options; /* [count], in the order of the file */
} mt_section;

/* A parsed file; all strings point into text. */
typedef struct mt_config {
    char *path;
    char *text;
    int count;
    mt_section *sections; /* [count]; the first is the unnamed one, often empty */
    mt_option *options;
} mt_config;

/*
 * Reads and parses a file. Comments begin with # or ;, in a .data file, whose values may be paths,
 * at the start of a line or after a blank. Blanks do not count, not even inside words (Darknet's
 * rule), except for those inside the values of a .data file; nor do carriage returns. On failure
 * there is nothing to free.
 */
int mt_config_read(mt_config *config, const char *path, bool builtin, mtcnn_error *error);
void mt_config_free(mt_config *config);

/* The first option of that key, as Darknet's lists give it; NULL if absent. */
const mt_option *mt_option_find(const mt_section *section, const char *key);

/* MTCNN_ERROR_CFG that names the line of key and its value, and the rule that this breaks. */
int mt_fail_option(const mt_section *section, const char *key, const char *rule,
                   mtcnn_error *error);

/* *value = the integer of key, or fallback; MTCNN_ERROR_CFG unless minimum <= it <= maximum. */
int mt_option_int(const mt_section *section, const char *key, int fallback, int minimum,
                  int maximum, int *value, mtcnn_error *error);

/* The same for a key that must be there. */
int mt_option_int_required(const mt_section *section, const char *key, int minimum, int maximum,
                           int *value, mtcnn_error *error);

/* *values = exactly count comma-separated numbers, finite as float32, of a required key. */
int mt_option_floats(const mt_section *section, const char *key, int count, float *values,
                     mtcnn_error *error);

/*
 * Comma-separated integers of a key that must be there. *values is the caller's, to be freed.
 */
int mt_option_int_list(const mt_section *section, const char *key, int **values, int *count,
                       mtcnn_error *error);

/* The text of a key that must be there. */
int mt_option_text(const mt_section *section, const char *key, const char **value,
                   mtcnn_error *error);

#endif
