#include "decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *mt_decimal(char text[MT_DECIMAL_SIZE], double value, int digits)
{
    if (!isfinite(value))
        return isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    const int length = snprintf(text, MT_DECIMAL_SIZE, "%.*f", digits, value);
    char *point = text + strspn(text, "-0123456789"); /* of some bytes, in some locales */
    *point = '.';
    memmove(point + 1, text + length - digits, (size_t)digits + 1);
    return text;
}
