/* memory.h: checked sizes, and buffers that only grow. */
#ifndef MT_MEMORY_H
#define MT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* *product = a * b; false, and *product untouched, on overflow. */
bool mt_multiply(size_t a, size_t b, size_t *product);

/* Scratch memory that grows when more is asked for than ever before, and is never shrunk. */
typedef struct mt_buffer {
    void *data; /* aligned to MT_ALIGNMENT */
    size_t bytes;
} mt_buffer;

#define MT_ALIGNMENT 64 /* a cache line, and the widest vector */
#define MT_LINE_FLOATS (MT_ALIGNMENT / sizeof(float))

/* The floats of as many whole cache lines as hold so many floats. */
static inline size_t mt_whole_lines(size_t floats)
{
    return (floats + MT_LINE_FLOATS - 1) / MT_LINE_FLOATS * MT_LINE_FLOATS;
}

/*
 * Makes room for count elements of size bytes; what was in it is lost if it had to grow.
 * Returns false, with the buffer as it was, if there is no memory.
 */
bool mt_reserve(mt_buffer *buffer, size_t count, size_t size);

/* The same, but the first used elements survive. */
bool mt_grow(mt_buffer *buffer, size_t used, size_t count, size_t size);

/* The same for a buffer that will never hold more than most elements: it gets room for no more. */
bool mt_grow_within(mt_buffer *buffer, size_t used, size_t count, size_t most, size_t size);

void mt_release(mt_buffer *buffer);

/*
 * A struct keeps its buffers in an array, with an enum of their names, so that all of them can be
 * walked: their bytes are added up and they are freed without a second list of them.
 */
size_t mt_buffers_bytes(const mt_buffer *buffers, int count);
void mt_buffers_release(mt_buffer *buffers, int count);

#endif
