#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool mt_multiply(size_t a, size_t b, size_t *product)
{
    if (b && a > SIZE_MAX / b)
        return false;
    *product = a * b;
    return true;
}

bool mt_grow_within(mt_buffer *buffer, size_t used, size_t count, size_t most, size_t size)
{
    size_t bytes, most_bytes;
    if (!mt_multiply(count, size, &bytes) || bytes > SIZE_MAX / 2)
        return false;
    if (bytes <= buffer->bytes)
        return true;
    /* Half as much again when elements are to survive: appending stays linear in the end. */
    if (used)
        bytes += bytes / 2;
    if (mt_multiply(most, size, &most_bytes) && bytes > most_bytes)
        bytes = most_bytes;
    bytes = (bytes + MT_ALIGNMENT - 1) / MT_ALIGNMENT * MT_ALIGNMENT;
    void *data = aligned_alloc(MT_ALIGNMENT, bytes);
    if (!data)
        return false;
    if (used)
        memcpy(data, buffer->data, used * size);
    free(buffer->data);
    buffer->data = data;
    buffer->bytes = bytes;
    return true;
}

bool mt_grow(mt_buffer *buffer, size_t used, size_t count, size_t size)
{
    return mt_grow_within(buffer, used, count, SIZE_MAX, size);
}

bool mt_reserve(mt_buffer *buffer, size_t count, size_t size)
{
    return mt_grow(buffer, 0, count, size);
}

void mt_release(mt_buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
    buffer->bytes = 0;
}

size_t mt_buffers_bytes(const mt_buffer *buffers, int count)
{
    size_t bytes = 0;
    for (int i = 0; i < count; i++)
        bytes += buffers[i].bytes;
    return bytes;
}

void mt_buffers_release(mt_buffer *buffers, int count)
{
    for (int i = 0; i < count; i++)
        mt_release(&buffers[i]);
}
