#define _GNU_SOURCE /* strtod_l */
#include "decimal.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double mt_parse_decimal(const char *text, const char **end)
{
    *end = text;
    const char *start = text + strspn(text, " \t+-");
    const size_t digits = strspn(start, "0123456789.");
    if (digits == 0 || start[digits] == 'x' || start[digits] == 'X')
        return 0.0; /* infinite, NaN, hexadecimal */
    char *behind;
    locale_t c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    const double value = c_locale ? strtod_l(text, &behind, c_locale) : strtod(text, &behind);
    if (c_locale)
        freelocale(c_locale);
    *end = behind;
    return value;
}

const char *mt_write_short(char text[MT_SHORT_SIZE], double value)
{
    snprintf(text, MT_SHORT_SIZE, "%g", value);
    char *point = text + strspn(text, "-0123456789");
    if (isfinite(value) && *point && *point != 'e') { /* several bytes in some locales */
        const char *digits = point + strcspn(point, "0123456789");
        *point = '.';
        memmove(point + 1, digits, strlen(digits) + 1);
    }
    return text;
}

const char *mt_write_decimal(char text[MT_DECIMAL_SIZE], double value, int digits)
{
    if (!isfinite(value))
        return isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    const int length = snprintf(text, MT_DECIMAL_SIZE, "%.*f", digits, value);
    char *point = text + strspn(text, "-0123456789"); /* several bytes in some locales */
    *point = '.';
    memmove(point + 1, text + length - digits, (size_t)digits + 1);
    return text;
}
