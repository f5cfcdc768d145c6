/* utf8.h: the one question that JSON asks of a file name. */
#ifndef MT_UTF8_H
#define MT_UTF8_H

/*
 * The bytes, 1..4, of the character that the terminated string text begins with; 0 where those
 * are no UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
 */
int mt_utf8_length(const char *text);

#endif
