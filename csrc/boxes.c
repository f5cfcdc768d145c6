#include "boxes.h"

#include <math.h>

double mt_overlap_of(const float a[4], const float b[4], mt_overlap kind)
{
    const float left = a[0] > b[0] ? a[0] : b[0], right = a[2] < b[2] ? a[2] : b[2];
    const float top = a[1] > b[1] ? a[1] : b[1], bottom = a[3] < b[3] ? a[3] : b[3];
    if (!(left < right && top < bottom))
        return 0.0;
    const double intersection = ((double)right - left) * ((double)bottom - top);
    const double area_a = ((double)a[2] - a[0]) * ((double)a[3] - a[1]);
    const double area_b = ((double)b[2] - b[0]) * ((double)b[3] - b[1]);
    const double whole = kind == MT_OVER_SMALLER ? fmin(area_a, area_b)
                                                 : area_a + area_b - intersection;
    return intersection / whole;
}

/* A total order: equal only to itself, as (level, order) is unique. */
static bool before(const mt_candidate *a, const mt_candidate *b)
{
    if (a->score != b->score)
        return a->score > b->score;
    return a->level != b->level ? a->level < b->level : a->order < b->order;
}

/* Moves the candidate at root down its heap of count, whose top is the last in order. */
static void sift_down(mt_candidate *heap, size_t root, size_t count)
{
    const mt_candidate moving = heap[root];
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && before(&heap[child], &heap[child + 1]))
            child++;
        if (!before(&moving, &heap[child]))
            break;
        heap[root] = heap[child];
    }
    heap[root] = moving;
}

static void make_heap(mt_candidate *candidates, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift_down(candidates, i, count);
}

/* Heap sort: in place, unlike the C library's qsort, which may ask for memory. */
void mt_sort(mt_candidate *candidates, size_t count)
{
    make_heap(candidates, count);
    for (size_t end = count; end > 1; end--) {
        mt_candidate top = candidates[0];
        candidates[0] = candidates[end - 1];
        candidates[end - 1] = top;
        sift_down(candidates, 0, end - 1);
    }
}

/* A heap as soon as it is full: then its top, the last in order, gives way to any better one. */
bool mt_add_best(mt_buffer *buffer, size_t *count, size_t most, const mt_candidate *candidate)
{
    mt_candidate *candidates = buffer->data;
    if (*count < most) {
        if (!mt_grow_within(buffer, *count, *count + 1, most, sizeof *candidates))
            return false;
        candidates = buffer->data;
        candidates[(*count)++] = *candidate;
        if (*count == most)
            make_heap(candidates, most);
    } else if (before(candidate, &candidates[0])) {
        candidates[0] = *candidate;
        sift_down(candidates, 0, most);
    }
    return true;
}

/* Kept boxes that are looked at together. */
#define BLOCK 64

/* Corners of the kept boxes of a block, side by side, so that the compiler makes vectors of them. */
typedef struct mt_corners {
    float left[BLOCK], top[BLOCK], right[BLOCK], bottom[BLOCK];
} mt_corners;

/* Whether the box meets any of a block's at all: most blocks of a crowd it does not. */
static bool meets(const float box[4], const mt_corners *block)
{
    int met = 0;
    for (int i = 0; i < BLOCK; i++)
        met |= (box[0] < block->right[i]) & (block->left[i] < box[2]) &
               (box[1] < block->bottom[i]) & (block->top[i] < box[3]);
    return met;
}

/* Makes the block of that number: boxes that nothing meets. Returns false if there is no memory. */
static bool begin_block(mt_buffer *blocks, size_t number)
{
    if (!mt_grow(blocks, number, number + 1, sizeof(mt_corners)))
        return false;
    mt_corners *block = (mt_corners *)blocks->data + number;
    for (int k = 0; k < BLOCK; k++)
        block->left[k] = block->top[k] = block->right[k] = block->bottom[k] = -INFINITY;
    return true;
}

bool mt_suppress(mt_candidate *candidates, size_t *count, size_t most, float limit, mt_overlap kind,
                 mt_buffer *scratch)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count && kept < most; i++) {
        const mt_corners *blocks = scratch->data;
        const float *box = candidates[i].box;
        bool keep = true;
        for (size_t first = 0; first < kept && keep; first += BLOCK) {
            if (!meets(box, &blocks[first / BLOCK]))
                continue;
            const size_t end = first + BLOCK < kept ? first + BLOCK : kept;
            for (size_t j = first; j < end && keep; j++)
                keep = mt_overlap_of(box, candidates[j].box, kind) <= limit;
        }
        if (!keep)
            continue;
        const size_t last = kept / BLOCK, place = kept % BLOCK;
        if (place == 0 && !begin_block(scratch, last))
            return false;
        mt_corners *block = (mt_corners *)scratch->data + last;
        block->left[place] = box[0];
        block->top[place] = box[1];
        block->right[place] = box[2];
        block->bottom[place] = box[3];
        candidates[kept++] = candidates[i];
    }
    *count = kept;
    return true;
}

void mt_regress(mt_candidate *candidate)
{
    float *box = candidate->box;
    const float *offsets = candidate->offsets;
    const double sides[2] = {(double)box[2] - box[0], (double)box[3] - box[1]};
    for (int k = 0; k < 4; k++)
        box[k] = (float)(box[k] + offsets[k] * sides[k % 2]);
}

void mt_square(float box[4])
{
    const double half = fmax((double)box[2] - box[0], (double)box[3] - box[1]) / 2;
    for (int k = 0; k < 2; k++) {
        const double centre = ((double)box[k] + box[k + 2]) / 2;
        box[k] = (float)(centre - half);
        box[k + 2] = (float)(centre + half);
    }
}

bool mt_is_visible(const float box[4], int width, int height)
{
    /* Written so that a NaN anywhere is false. */
    return box[0] < box[2] && box[1] < box[3] && box[0] < (float)width && box[1] < (float)height &&
           box[2] > 0.0f && box[3] > 0.0f && isfinite(box[2] - box[0]) && isfinite(box[3] - box[1]);
}

void mt_clip(float box[4], int width, int height)
{
    box[0] = fmaxf(box[0], 0.0f);
    box[1] = fmaxf(box[1], 0.0f);
    box[2] = fminf(box[2], (float)width);
    box[3] = fminf(box[3], (float)height);
}
