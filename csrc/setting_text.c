/* Settings for people: which values they take, and the text of the help. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "decimal.h"
#include "settings.h"

/* "hard or soft", "pnet, rnet or onet" */
static int write_choices(const char *names, char *text, size_t size)
{
    int length = 0;
    for (; *names; names += strcspn(names, " ") + (names[strcspn(names, " ")] == ' ')) {
        const int name = (int)strcspn(names, " ");
        const char *before = !length ? "" : names[name] ? ", " : " or ";
        const size_t used = (size_t)length < size ? (size_t)length : size;
        length += snprintf(text + used, size - used, "%s%.*s", before, name, names);
    }
    return length;
}

/* ", each 1 to 9", " above 0 and below 1", ... */
static void write_range(const mtcnn_setting *setting, char *text, size_t size)
{
    const int above = setting->flags & MTCNN_ABOVE_LOW, below = setting->flags & MTCNN_BELOW_HIGH;
    const double low = setting->low, high = setting->high;
    if (setting->flags & MTCNN_NOT_ZERO)
        snprintf(text, size, " other than 0");
    else if (isinf(low) && isinf(high))
        *text = '\0';
    else if (isinf(high))
        snprintf(text, size, ", %s %.10g", above ? "above" : "at least", low);
    else if (above && below)
        snprintf(text, size, " above %.10g and below %.10g", low, high);
    else if (above)
        snprintf(text, size, ", above %.10g, to %.10g", low, high);
    else if (below)
        snprintf(text, size, ", at least %.10g and below %.10g", low, high);
    else
        snprintf(text, size, ", %s%.10g to %.10g", setting->count > 1 ? "each " : "", low, high);
}

int mtcnn_setting_rule(const mtcnn_setting *setting, char *text, size_t size)
{
    static const char *const counts[] = {"a", "a", "two", "three", "four"};
    char range[64];
    switch (setting->type) {
    case MTCNN_TEXT: return snprintf(text, size, "%s", setting->unit);
    case MTCNN_CHOICE: return write_choices(setting->choices, text, size);
    case MTCNN_FLAG: return snprintf(text, size, "0 or 1");
    default:
        write_range(setting, range, sizeof range);
        return snprintf(text, size, "%s%s number%s%s%s%s", counts[setting->count],
                        setting->type == MTCNN_INT ? " whole" : "", setting->count > 1 ? "s" : "",
                        setting->unit ? " of " : "", setting->unit ? setting->unit : "", range);
    }
}

void mt_setting_write(const mtcnn_setting *setting, const void *values, char *text, size_t size)
{
    size_t length = 0;
    for (int i = 0; i < setting->count && length < size; i++) {
        char number[MT_SHORT_SIZE];
        mt_write_short(number, mt_setting_value(setting, values, i));
        length += (size_t)snprintf(text + length, size - length, "%s%s", i ? "," : "", number);
    }
}

int mtcnn_setting_help(const mtcnn_setting *setting, const mtcnn_options *options, char *text,
                       size_t size)
{
    char rule[160] = "", value[64] = "", model[96] = "the model's";
    const char *fallback = setting->without ? setting->without : setting->fallback;
    const char *help = setting->help ? setting->help : setting->name;
    if (setting->argument)
        mtcnn_setting_rule(setting, rule, sizeof rule);
    if (setting->owner == MTCNN_OF_DETECTOR && (!fallback || setting->flags & MTCNN_IN_DATA)) {
        if (options) {
            mt_setting_write(setting, options, value, sizeof value);
            snprintf(model, sizeof model, "the model's, %s", value);
        }
        fallback = model;
    }
    if (!*rule && !fallback)
        return snprintf(text, size, "%s", help);
    return snprintf(text, size, "%s (%s%s%s%s)", help, rule, *rule && fallback ? "; " : "",
                    fallback ? "default: " : "", fallback ? fallback : "");
}
