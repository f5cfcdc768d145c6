/* The values of settings: read from text, given their defaults, checked. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "decimal.h"
#include "error.h"
#include "settings.h"

enum { MAX_COUNT = 4 }; /* values of a setting */

/* ---- members of structs ---------------------------------------------------------------------- */

double mt_setting_value(const mtcnn_setting *setting, const void *values, int index)
{
    const char *first = (const char *)values + setting->offset;
    switch (setting->type) {
    case MTCNN_DOUBLE: return ((const double *)(const void *)first)[index];
    case MTCNN_FLOAT: return ((const float *)(const void *)first)[index];
    default: return ((const int *)(const void *)first)[index];
    }
}

static void store(const mtcnn_setting *setting, void *values, const double *numbers)
{
    char *first = (char *)values + setting->offset;
    for (int i = 0; i < setting->count; i++) {
        switch (setting->type) {
        case MTCNN_DOUBLE: ((double *)(void *)first)[i] = numbers[i]; break;
        case MTCNN_FLOAT: ((float *)(void *)first)[i] = (float)numbers[i]; break;
        default: ((int *)(void *)first)[i] = (int)numbers[i];
        }
    }
}

static bool is_in_range(const mtcnn_setting *setting, double number)
{
    const int flags = setting->flags;
    if (!isfinite(setting->type == MTCNN_FLOAT ? (float)number : number))
        return false;
    if (setting->type == MTCNN_FLAG)
        return number == 0.0 || number == 1.0;
    if (setting->type == MTCNN_INT && number != floor(number))
        return false;
    if (flags & MTCNN_NOT_ZERO && (float)number == 0.0f)
        return false;
    return (flags & MTCNN_ABOVE_LOW ? number > setting->low : number >= setting->low) &&
           (flags & MTCNN_BELOW_HIGH ? number < setting->high : number <= setting->high);
}

/* ---- text ------------------------------------------------------------------------------------ */

/* The place of text among the names of a choice; -1 where it is none of them. */
static int find_choice(const char *names, const char *text)
{
    const size_t length = strlen(text);
    for (int i = 0; *names; i++) {
        const size_t size = strcspn(names, " ");
        if (size == length && !memcmp(names, text, length))
            return i;
        names += size + (names[size] == ' ');
    }
    return -1;
}

static bool read_numbers(const char *text, int count, double *numbers)
{
    for (int i = 0; i < count; i++) {
        const char *end;
        numbers[i] = mt_parse_decimal(text, &end);
        if (end == text)
            return false;
        end += strspn(end, " \t");
        if (*end != (i + 1 < count ? ',' : '\0'))
            return false;
        text = end + 1; /* after the last: never used */
    }
    return true;
}

/* Whether text, or for a flag NULL, gives the setting's numbers; they may be out of range. */
static bool read_text(const mtcnn_setting *setting, const char *text, double *numbers)
{
    switch (setting->type) {
    case MTCNN_FLAG:
        if (!text) {
            numbers[0] = strncmp(setting->option, "no-", 3) != 0;
            return true;
        }
        return read_numbers(text, 1, numbers);
    case MTCNN_CHOICE: numbers[0] = find_choice(setting->choices, text); return numbers[0] >= 0;
    default: return read_numbers(text, setting->count, numbers);
    }
}

int mtcnn_setting_parse(const mtcnn_setting *setting, const char *text, void *values,
                        mtcnn_error *error)
{
    mt_clear(error);
    if (setting->type == MTCNN_TEXT && text && *text) {
        *(const char **)((char *)values + setting->offset) = text;
        return MTCNN_OK;
    }
    double numbers[MAX_COUNT];
    bool good = setting->type != MTCNN_TEXT && (text || setting->type == MTCNN_FLAG) &&
                read_text(setting, text, numbers);
    for (int i = 0; i < setting->count && good; i++)
        good = setting->type == MTCNN_CHOICE || is_in_range(setting, numbers[i]);
    if (good) {
        store(setting, values, numbers);
        return MTCNN_OK;
    }
    char rule[160];
    mtcnn_setting_rule(setting, rule, sizeof rule);
    return mt_fail(error, MTCNN_ERROR_ARGUMENT, "%s %s: must be %s", setting->name,
                   text && *text ? text : "''", rule);
}

/* ---- whole structs --------------------------------------------------------------------------- */

void mt_settings_default(mtcnn_setting_owner owner, void *values)
{
    int count;
    const mtcnn_setting *settings = mtcnn_settings(&count);
    for (int i = 0; i < count; i++) {
        double numbers[MAX_COUNT];
        if (settings[i].owner == owner && settings[i].fallback &&
            read_text(&settings[i], settings[i].fallback, numbers))
            store(&settings[i], values, numbers);
    }
}

static bool is_good(const mtcnn_setting *setting, double number)
{
    if (setting->type == MTCNN_FLAG)
        return true;
    if (setting->type == MTCNN_CHOICE) {
        int choices = 1;
        for (const char *c = setting->choices; *c; c++)
            choices += *c == ' ';
        return number >= 0 && number < choices;
    }
    return (setting->flags & MTCNN_OR_ZERO && number == 0.0) || is_in_range(setting, number);
}

static int fail_member(const mtcnn_setting *setting, const void *values, mtcnn_error *error)
{
    char numbers[96] = "", rule[160];
    mt_setting_write(setting, values, numbers, sizeof numbers);
    mtcnn_setting_rule(setting, rule, sizeof rule);
    return mt_fail(error, MTCNN_ERROR_ARGUMENT, "%s %s: must be %s%s", setting->name, numbers, rule,
                   setting->flags & MTCNN_OR_ZERO ? ", or 0" : "");
}

int mt_settings_check(mtcnn_setting_owner owner, const void *values, mtcnn_error *error)
{
    int count;
    const mtcnn_setting *settings = mtcnn_settings(&count);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < settings[i].count && settings[i].owner == owner; k++)
            if (!is_good(&settings[i], mt_setting_value(&settings[i], values, k)))
                return fail_member(&settings[i], values, error);
    return MTCNN_OK;
}
