#include "boxes.h"
#include "test.h"

static mt_candidate candidate(float x1, float y1, float x2, float y2, float score, int level,
                              int order)
{
    return (mt_candidate){.box = {x1, y1, x2, y2}, .score = score, .level = level, .order = order};
}

static void overlap(void)
{
    const float a[4] = {0, 0, 10, 10}, b[4] = {5, 0, 15, 10}, inside[4] = {2, 2, 4, 4};
    const float apart[4] = {10, 0, 20, 10}, empty[4] = {5, 5, 5, 5};
    CHECK(fabs(mt_overlap_of(a, b, MT_OVER_UNION) - 50.0 / 150.0) < 1e-12);
    CHECK(mt_overlap_of(a, b, MT_OVER_SMALLER) == 0.5);
    CHECK(mt_overlap_of(a, inside, MT_OVER_SMALLER) == 1.0f);
    CHECK(mt_overlap_of(a, inside, MT_OVER_UNION) == 0.04);
    CHECK(mt_overlap_of(a, apart, MT_OVER_UNION) == 0.0f);
    CHECK(mt_overlap_of(a, empty, MT_OVER_SMALLER) == 0.0f);
    CHECK(mt_overlap_of(empty, empty, MT_OVER_UNION) == 0.0f);
}

static size_t suppressed(mt_candidate *candidates, size_t count, float limit, mt_overlap kind)
{
    mt_buffer scratch = {0};
    CHECK(mt_suppress(candidates, &count, SIZE_MAX, limit, kind, &scratch));
    mt_release(&scratch);
    return count;
}

static void suppress(void)
{
    mt_candidate boxes[] = {
        candidate(0, 0, 10, 10, 0.9f, 0, 0),
        candidate(1, 0, 11, 10, 0.8f, 0, 1),  /* 9/11 of the first: goes */
        candidate(20, 0, 30, 10, 0.7f, 0, 2), /* alone: stays */
        candidate(2, 0, 12, 10, 0.6f, 0, 3),  /* 8/12 of the first: goes at 0.5, stays at 0.7 */
    };
    mt_candidate copy[4];
    memcpy(copy, boxes, sizeof boxes);
    CHECK(suppressed(copy, 4, 0.5f, MT_OVER_UNION) == 2);
    CHECK(copy[0].order == 0 && copy[1].order == 2);
    memcpy(copy, boxes, sizeof boxes);
    CHECK(suppressed(copy, 4, 0.7f, MT_OVER_UNION) == 3);
    CHECK(copy[2].order == 3);
    CHECK(suppressed(copy, 0, 0.5f, MT_OVER_UNION) == 0);

    /* Exactly the limit is kept. */
    mt_candidate edge[] = {candidate(0, 0, 10, 10, 1, 0, 0), candidate(0, 0, 10, 5, 1, 0, 1)};
    CHECK(suppressed(edge, 2, 0.5f, MT_OVER_UNION) == 2);
}

/* Many boxes against the plain definition, two loops. */
static void suppress_many(void)
{
    enum { COUNT = 2000 };
    static mt_candidate boxes[COUNT], kept[COUNT];
    uint64_t state = 9;
    for (int kind = 0; kind < 2; kind++) {
        for (int count = 0; count <= COUNT; count += 250) {
            for (int i = 0; i < count; i++) {
                const float x = (float)(test_random(&state) % 500), size = 1.0f + (float)(i % 40);
                const float y = (float)(test_random(&state) % 500);
                boxes[i] = candidate(x, y, x + size, y + 1.5f * size, 1.0f, 0, i);
            }
            size_t expected = 0;
            for (int i = 0; i < count; i++) {
                bool keep = true;
                for (size_t j = 0; j < expected; j++)
                    keep &= mt_overlap_of(boxes[i].box, kept[j].box, (mt_overlap)kind) <= 0.3f;
                if (keep)
                    kept[expected++] = boxes[i];
            }
            CHECK(suppressed(boxes, (size_t)count, 0.3f, (mt_overlap)kind) == expected);
            for (size_t i = 0; i < expected; i++)
                CHECK(boxes[i].order == kept[i].order);
        }
    }
}

/* At most this number is kept: the first of those that would be. */
static void suppress_at_most(void)
{
    enum { COUNT = 300 };
    static mt_candidate boxes[COUNT], copy[COUNT];
    mt_buffer scratch = {0};
    for (int i = 0; i < COUNT; i++) /* every second one is removed: the same box again */
        boxes[i] = candidate((float)(i / 2), 0, (float)(i / 2) + 1, 1, 1, 0, i);
    for (size_t most = 1; most < COUNT; most++) {
        size_t count = COUNT;
        memcpy(copy, boxes, sizeof boxes);
        CHECK(mt_suppress(copy, &count, most, 0.5f, MT_OVER_UNION, &scratch));
        CHECK(count == (most < COUNT / 2 ? most : COUNT / 2));
        for (size_t i = 0; i < count; i++)
            CHECK(copy[i].order == 2 * (int)i);
    }
    mt_release(&scratch);
}

/* Scores by hand: what is kept, in the order of the new ones. */
static void suppress_softly(void)
{
    const mt_candidate boxes[] = {
        candidate(0, 0, 10, 10, 0.9f, 0, 0),
        candidate(4, 0, 14, 10, 0.8f, 0, 1),  /* 0.6 of the first */
        candidate(20, 0, 30, 10, 0.7f, 0, 2), /* alone */
        candidate(29, 0, 39, 10, 0.5f, 0, 3), /* 0.1 of the one before */
        candidate(0, 0, 10, 5, 0.6f, 0, 4),   /* entirely in the first */
    };
    static const struct {
        float limit, threshold;
        size_t most, count;
        int orders[5];
        double scores[5];
    } cases[] = {
        {0.5f, 0.1f, 9, 4, {0, 2, 3, 1}, {0.9, 0.7, 0.5, 0.8 * 0.4}},
        {0.6f, 0.1f, 9, 4, {0, 1, 2, 3}, {0.9, 0.8, 0.7, 0.5}},
        {0.5f, 0.35f, 9, 3, {0, 2, 3}, {0.9, 0.7, 0.5}},
        {0.5f, 0.1f, 2, 2, {0, 2}, {0.9, 0.7}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mt_candidate copy[5];
        size_t count = 5;
        memcpy(copy, boxes, sizeof boxes);
        mt_suppress_softly(copy, &count, cases[i].most, cases[i].threshold, cases[i].limit,
                           MT_OVER_SMALLER);
        REQUIRE(count == cases[i].count);
        for (size_t k = 0; k < count; k++) {
            CHECK(copy[k].order == cases[i].orders[k]);
            CHECK(fabs(copy[k].score - cases[i].scores[k]) < 1e-6);
        }
    }
}

enum { MANY = 1000 };

/* Few scores, so that there are many ties. */
static void fill_many(mt_candidate *boxes, uint64_t *state)
{
    for (int i = 0; i < MANY; i++) {
        const float score = (float)(test_random(state) % 20) / 20.0f;
        boxes[i] = candidate(0, 0, 1, 1, score, test_random_int(state, 0, 4), i);
    }
}

static void sorting(void)
{
    uint64_t state = 7;
    static mt_candidate boxes[MANY];
    fill_many(boxes, &state);
    mt_sort(boxes, MANY);
    for (int i = 1; i < MANY; i++) {
        const mt_candidate *a = &boxes[i - 1], *b = &boxes[i];
        CHECK(a->score > b->score ||
              (a->score == b->score &&
               (a->level < b->level || (a->level == b->level && a->order < b->order))));
    }
    mt_sort(boxes, 0);
    mt_sort(boxes, 1);
}

/* The best, in any order of arrival, and memory for no more. */
static void keeping_the_best(void)
{
    uint64_t state = 8;
    static mt_candidate boxes[MANY], sorted[MANY];
    fill_many(boxes, &state);
    memcpy(sorted, boxes, sizeof boxes);
    mt_sort(sorted, MANY);
    const size_t most[] = {1, 2, 3, 64, 500, MANY - 1, MANY, 2 * MANY};
    for (size_t m = 0; m < sizeof most / sizeof *most; m++) {
        for (int round = 0; round < 3; round++) {
            mt_buffer buffer = {0};
            size_t count = 0;
            for (int i = 0; i < MANY; i++) {
                const int other = (int)(test_random(&state) % MANY);
                const mt_candidate moved = boxes[i];
                boxes[i] = boxes[other];
                boxes[other] = moved;
            }
            for (int i = 0; i < MANY; i++)
                CHECK(mt_add_best(&buffer, &count, most[m], &boxes[i]));
            CHECK(count == (most[m] < MANY ? most[m] : MANY));
            CHECK(buffer.bytes < most[m] * sizeof *boxes + MT_ALIGNMENT);
            mt_sort(buffer.data, count);
            CHECK(!memcmp(buffer.data, sorted, count * sizeof *sorted));
            mt_release(&buffer);
        }
    }
}

static void geometry(void)
{
    mt_candidate moved = candidate(10, 20, 30, 60, 1, 0, 0);
    const float offsets[4] = {0.1f, -0.1f, 0.2f, 0.05f};
    memcpy(moved.offsets, offsets, sizeof offsets);
    mt_regress(&moved);
    const float expected[4] = {12, 16, 34, 62};
    CHECK(test_largest_difference(moved.box, expected, 4) < 1e-5f);

    float box[4] = {10, 0, 20, 40};
    mt_square(box);
    const float square[4] = {-5, 0, 35, 40};
    CHECK(test_largest_difference(box, square, 4) == 0.0f);

    mt_clip(box, 30, 30);
    const float clipped[4] = {0, 0, 30, 30};
    CHECK(test_largest_difference(box, clipped, 4) == 0.0f);

    const float seen[4] = {-5, -5, 1, 1}, left[4] = {-5, 0, 0, 5}, below[4] = {0, 10, 5, 15};
    const float flat[4] = {3, 3, 3, 8}, inverted[4] = {5, 0, 1, 5}, nan[4] = {NAN, 0, 5, 5};
    const float endless[4] = {0, 0, INFINITY, 5};
    CHECK(mt_is_visible(seen, 10, 10));
    CHECK(!mt_is_visible(left, 10, 10));
    CHECK(!mt_is_visible(below, 10, 10));
    CHECK(!mt_is_visible(flat, 10, 10));
    CHECK(!mt_is_visible(inverted, 10, 10));
    CHECK(!mt_is_visible(nan, 10, 10));
    CHECK(!mt_is_visible(endless, 10, 10));
}

int main(void)
{
    overlap();
    suppress();
    suppress_many();
    suppress_at_most();
    suppress_softly();
    sorting();
    keeping_the_best();
    geometry();
    return test_end();
}
