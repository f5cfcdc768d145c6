/* decimal.h: numbers as text, whatever the program's locale says. */
#ifndef MT_DECIMAL_H
#define MT_DECIMAL_H

/*
 * The plain decimal number at text, with a point as decimal sign; *end points behind it, or at text
 * where there is none. Infinite, NaN and hexadecimal ones are none.
 */
double mt_parse_decimal(const char *text, const char **end);

#endif
