/* The name that somebody who mistyped probably meant: a public function. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "mtcnn.h"

enum { LONGEST = 63 }; /* characters of a word or name; longer ones are near to nothing */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == '-' ? '_' : c;
}

static int least(int a, int b, int c)
{
    const int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/*
 * Letters to insert, remove, replace, or swap with their neighbour: the optimal string alignment.
 * Case does not count, nor do - and _ differ.
 */
static int distance(const char *a, int a_length, const char *b, int b_length)
{
    int rows[3][LONGEST + 1];
    int *before = rows[0], *last = rows[1], *now = rows[2];
    for (int j = 0; j <= b_length; j++)
        last[j] = j;
    for (int i = 1; i <= a_length; i++) {
        const char c = lower(a[i - 1]);
        now[0] = i;
        for (int j = 1; j <= b_length; j++) {
            const char d = lower(b[j - 1]);
            now[j] = least(last[j] + 1, now[j - 1] + 1, last[j - 1] + (c != d));
            if (i > 1 && j > 1 && c == lower(b[j - 2]) && lower(a[i - 2]) == d &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        int *const free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[b_length];
}

/* Whether one begins with the other, of which there are at least three letters. */
static bool begins_alike(const char *a, int a_length, const char *b, int b_length)
{
    const int length = a_length < b_length ? a_length : b_length;
    for (int i = 0; i < length; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return length >= 3;
}

int mtcnn_nearest(const char *word, const char *names, char *nearest, size_t size)
{
    const size_t word_length = strlen(word);
    const int length = word_length <= LONGEST ? (int)word_length : 0;
    const char *found = "";
    int found_length = 0, fewest = length ? (length + 1) / 3 + 1 : 0;
    for (const char *name = names; *name;) {
        const int name_length = (int)strcspn(name, " ");
        if (name_length && name_length <= LONGEST) {
            const int steps = distance(word, length, name, name_length);
            const bool nearer = steps < fewest;
            /* Of those that begin alike the first, unless one is near. */
            if (nearer || (!found_length && begins_alike(word, length, name, name_length))) {
                fewest = nearer ? steps : fewest;
                found = name;
                found_length = name_length;
            }
        }
        name += name_length;
        name += *name == ' ';
    }
    return snprintf(nearest, size, "%.*s", found_length, found);
}
