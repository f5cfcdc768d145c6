#include "boxes.h"

#include <math.h>
#include <string.h>

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
#define BLOCK 32

/* Kept boxes that lie near each other, side by side, so that the compiler makes vectors of them. */
typedef struct mt_block {
    float bounds[4]; /* around all of them */
    int count;
    float left[BLOCK], top[BLOCK], right[BLOCK], bottom[BLOCK];
} mt_block;

/*
 * Where kept boxes lie: the smallest ones in the cells of a grid over all candidates, those twice
 * as large in the cells of one half as fine, and so on. Each cell fills blocks of its own.
 */
enum { GRID_SIDE = 8, CELLS = 8 * 8 + 4 * 4 + 2 * 2 + 1 };

typedef struct mt_grid {
    float range[4];  /* around all candidates */
    float smallest;  /* width of one */
    int open[CELLS]; /* number of the block that is being filled; -1: none */
} mt_grid;

static void widen(float bounds[4], const float box[4])
{
    for (int k = 0; k < 2; k++) {
        bounds[k] = box[k] < bounds[k] ? box[k] : bounds[k];
        bounds[k + 2] = box[k + 2] > bounds[k + 2] ? box[k + 2] : bounds[k + 2];
    }
}

static void begin_grid(mt_grid *grid, const mt_candidate *candidates, size_t count)
{
    *grid = (mt_grid){.range = {INFINITY, INFINITY, -INFINITY, -INFINITY}, .smallest = INFINITY};
    for (size_t i = 0; i < count; i++) {
        const float *box = candidates[i].box;
        widen(grid->range, box);
        grid->smallest = fminf(grid->smallest, box[2] - box[0]);
    }
    for (int i = 0; i < CELLS; i++)
        grid->open[i] = -1;
}

/* Which of n equal parts of the range from low to high the value lies in. */
static int part_of(float value, float low, float high, int n)
{
    const float part = (value - low) / (high - low) * (float)n;
    return part >= (float)n ? n - 1 : part > 0.0f ? (int)part : 0;
}

static int *cell_of(mt_grid *grid, const float box[4])
{
    int n = GRID_SIDE, first = 0;
    for (float size = 2 * grid->smallest; n > 1 && box[2] - box[0] >= size; size *= 2) {
        first += n * n;
        n /= 2;
    }
    const int column = part_of(box[0], grid->range[0], grid->range[2], n);
    const int row = part_of(box[1], grid->range[1], grid->range[3], n);
    return &grid->open[first + row * n + column];
}

static bool meets(const float box[4], float left, float top, float right, float bottom)
{
    return (box[0] < right) & (left < box[2]) & (box[1] < bottom) & (top < box[3]);
}

/* Whether any box of the block overlaps the box by more than limit. */
static bool overlaps(const mt_block *block, const float box[4], float limit, mt_overlap kind)
{
    int met = 0;
    for (int i = 0; i < BLOCK; i++)
        met |= meets(box, block->left[i], block->top[i], block->right[i], block->bottom[i]);
    for (int i = 0; i < block->count && met; i++) {
        const float kept[4] = {block->left[i], block->top[i], block->right[i], block->bottom[i]};
        if (mt_overlap_of(box, kept, kind) > limit)
            return true;
    }
    return false;
}

/* Puts a kept box in its cell's block, or in a new one. Returns false if there is no memory. */
static bool keep(mt_buffer *blocks, int *count, int *open, const float box[4])
{
    mt_block *block = *open < 0 ? NULL : (mt_block *)blocks->data + *open;
    if (!block || block->count == BLOCK) {
        if (!mt_grow(blocks, (size_t)*count, (size_t)*count + 1, sizeof *block))
            return false;
        *open = (*count)++;
        block = (mt_block *)blocks->data + *open;
        block->count = 0;
        memcpy(block->bounds, box, sizeof block->bounds);
        for (int i = 0; i < BLOCK; i++) /* boxes that nothing meets */
            block->left[i] = block->top[i] = block->right[i] = block->bottom[i] = -INFINITY;
    }
    const int i = block->count++;
    block->left[i] = box[0];
    block->top[i] = box[1];
    block->right[i] = box[2];
    block->bottom[i] = box[3];
    widen(block->bounds, box);
    return true;
}

bool mt_suppress(mt_candidate *candidates, size_t *count, size_t most, float limit, mt_overlap kind,
                 mt_buffer *scratch)
{
    mt_grid grid;
    size_t kept = 0;
    int block_count = 0;
    begin_grid(&grid, candidates, *count);
    for (size_t i = 0; i < *count && kept < most; i++) {
        const float *box = candidates[i].box;
        const mt_block *blocks = scratch->data;
        bool dropped = false;
        for (int j = 0; j < block_count && !dropped; j++) {
            const float *bounds = blocks[j].bounds;
            dropped = meets(box, bounds[0], bounds[1], bounds[2], bounds[3]) &&
                      overlaps(&blocks[j], box, limit, kind);
        }
        if (dropped)
            continue;
        if (!keep(scratch, &block_count, cell_of(&grid, box), box))
            return false;
        candidates[kept++] = candidates[i];
    }
    *count = kept;
    return true;
}

void mt_suppress_softly(mt_candidate *candidates, size_t *count, size_t most, float threshold,
                        float limit, mt_overlap kind)
{
    size_t kept = 0, left = *count;
    for (; kept < left && kept < most; kept++) {
        size_t best = kept;
        for (size_t i = kept + 1; i < left; i++)
            best = before(&candidates[i], &candidates[best]) ? i : best;
        const mt_candidate chosen = candidates[best];
        candidates[best] = candidates[kept];
        candidates[kept] = chosen;
        size_t passing = kept + 1;
        for (size_t i = kept + 1; i < left; i++) {
            mt_candidate *candidate = &candidates[i];
            const double overlap = mt_overlap_of(candidate->box, chosen.box, kind);
            if (overlap > limit)
                candidate->score = (float)(candidate->score * (1.0 - overlap));
            if (candidate->score >= threshold)
                candidates[passing++] = *candidate;
        }
        left = passing;
    }
    *count = kept;
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
