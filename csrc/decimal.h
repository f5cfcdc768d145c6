/* decimal.h: numbers from text and as text, whatever the program's locale says. */
#ifndef MT_DECIMAL_H
#define MT_DECIMAL_H

/*
 * The plain decimal number at text, with a point as decimal sign; *end points behind it, or at text
 * where there is none. Infinite, NaN and hexadecimal ones are none.
 */
double mt_parse_decimal(const char *text, const char **end);

#define MT_SHORT_SIZE 32

#define MT_DECIMAL_SIZE 352 /* the largest double, 8 digits, and any locale's decimal point */

/*
 * The number as printf's "%.*f" writes it, with digits 1..8, but with a point; else nan, inf or
 * -inf. Returns text, or a constant string.
 */
const char *mt_write_decimal(char text[MT_DECIMAL_SIZE], double value, int digits);

/* The number as printf's "%g" writes it, but with a point. Returns text. */
const char *mt_write_short(char text[MT_SHORT_SIZE], double value);

#endif
