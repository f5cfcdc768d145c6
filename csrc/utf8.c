#include "utf8.h"

int mt_utf8_length(const char *text)
{
    /* By the first byte: the length, and the range of the second, which shuts out the rest. */
    static const struct {
        unsigned char first, last, length, second_low, second_high;
    } forms[] = {
        {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
        {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
        {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
    };
    const unsigned char *bytes = (const unsigned char *)text;
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (bytes[0] < forms[i].first || bytes[0] > forms[i].last)
            continue;
        if (forms[i].length == 1)
            return 1;
        if (bytes[1] < forms[i].second_low || bytes[1] > forms[i].second_high)
            return 0;
        for (int j = 2; j < forms[i].length; j++) /* the terminating zero ends it, too */
            if (bytes[j] < 0x80 || bytes[j] > 0xbf)
                return 0;
        return forms[i].length;
    }
    return 0;
}
