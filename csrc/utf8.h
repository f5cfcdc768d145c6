/* utf8.h: whether a file name is UTF-8, as JSON must be. */
#ifndef MT_UTF8_H
#define MT_UTF8_H

/*
 * The bytes, 1..4, of the character that the terminated string text begins with; 0 where those
 * are no UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
 */
int mt_utf8_length(const char *text);

#endif
