/* test.h: for all C tests. A test is a function; main runs them and counts failed checks. */
#ifndef TEST_H
#define TEST_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            failures++; \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
        } \
    } while (0)

/* Checks that text contains part, and prints both if it does not. */
#define CHECK_HOLDS(text, part) \
    do { \
        if (!strstr(text, part)) { \
            failures++; \
            fprintf(stderr, "%s:%d: '%s' does not hold '%s'\n", __FILE__, __LINE__, text, part); \
        } \
    } while (0)

/* Stops the test program if it cannot continue. */
#define REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: required: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

static inline int test_end(void)
{
    if (failures)
        fprintf(stderr, "%d checks failed\n", failures);
    return failures != 0;
}

/* xorshift64*: the same numbers everywhere, if each is drawn in a statement of its own: C leaves
   the order of arguments and initial values open. */
static inline uint32_t test_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * 2685821657736338717ull) >> 32);
}

/* low .. high */
static inline int test_random_int(uint64_t *state, int low, int high)
{
    return low + (int)(test_random(state) % (uint32_t)(high - low + 1));
}

/* -1 .. 1 */
static inline float test_random_float(uint64_t *state)
{
    return (float)test_random(state) / 2147483648.0f - 1.0f;
}

static inline void test_fill(float *values, size_t count, uint64_t *state)
{
    for (size_t i = 0; i < count; i++)
        values[i] = test_random_float(state);
}

/* Memory between two guards, which test_guarded_free checks to detect writes outside. */
#define GUARD 64

static inline void *test_guarded(size_t bytes)
{
    unsigned char *memory = malloc(bytes + 2 * GUARD);
    REQUIRE(memory);
    memset(memory, 0xA5, bytes + 2 * GUARD);
    return memory + GUARD;
}

static inline void test_guarded_free(void *data, size_t bytes)
{
    unsigned char *memory = (unsigned char *)data - GUARD;
    for (int i = 0; i < GUARD; i++)
        CHECK(memory[i] == 0xA5 && memory[GUARD + bytes + i] == 0xA5);
    free(memory);
}

static inline float test_largest_difference(const float *a, const float *b, size_t count)
{
    float largest = 0.0f;
    for (size_t i = 0; i < count; i++)
        largest = fmaxf(largest, isfinite(a[i]) && isfinite(b[i]) ? fabsf(a[i] - b[i]) : INFINITY);
    return largest;
}

/* Writes a whole file in the current folder. */
static inline void test_write(const char *path, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    REQUIRE(file && fwrite(data, 1, bytes, file) == bytes && fclose(file) == 0);
}

static inline void test_write_text(const char *path, const char *text)
{
    test_write(path, text, strlen(text));
}

#endif
