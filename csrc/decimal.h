/* decimal.h: numbers as text that is the same in every locale. */
#ifndef MT_DECIMAL_H
#define MT_DECIMAL_H

#define MT_DECIMAL_SIZE 352 /* the largest double, 8 digits, and any locale's decimal point */

/*
 * As printf's "%.*f" with digits 1..8, but with a point whatever the locale says; without a number:
 * nan, inf or -inf. Returns the text, which lies in text where it is not constant.
 */
const char *mt_decimal(char text[MT_DECIMAL_SIZE], double value, int digits);

#endif
