/* Resizing along y and along x; included by kernels_template.h. */

/* blend of `vectors` (at most 4) vectors of columns, from sums to results. */
INLINE void blend_vectors(const uint8_t *bytes, ptrdiff_t stride, const float *weights, int rows,
                          int vectors, const float *now, const float *next, float *now_results,
                          float *next_results)
{
    vec sums[4], nexts[4];
    UNROLL for (int v = 0; v < vectors; v++)
    {
        sums[v] = load(now + v * LANES);
        if (next)
            nexts[v] = load(next + v * LANES);
    }
    for (int r = 0; r < rows; r++, bytes += stride) {
        const vec weight = broadcast(weights[2 * r]), weight_next = broadcast(weights[2 * r + 1]);
        UNROLL for (int v = 0; v < vectors; v++)
        {
            const vec values = FROM_BYTES(bytes + v * LANES);
            sums[v] = MULTIPLY_ADD(weight, values, sums[v]);
            if (next)
                nexts[v] = MULTIPLY_ADD(weight_next, values, nexts[v]);
        }
    }
    UNROLL for (int v = 0; v < vectors; v++)
    {
        store(now_results + v * LANES, sums[v]);
        if (next)
            store(next_results + v * LANES, nexts[v]);
    }
}

/* Fewer columns than a vector has: one row at a time, in a vector filled up with zeros. */
INLINE void blend_few(const uint8_t *bytes, ptrdiff_t stride, const float *weights, int rows,
                      int count, float *now, float *next)
{
    float sums[LANES] = {0}, nexts[LANES] = {0};
    memcpy(sums, now, (size_t)count * sizeof *now);
    if (next)
        memcpy(nexts, next, (size_t)count * sizeof *next);
    for (int r = 0; r < rows; r++, bytes += stride) {
        uint8_t row[LANES] = {0};
        memcpy(row, bytes, (size_t)count);
        blend_vectors(row, 0, weights + 2 * r, 1, 1, sums, nexts, sums, nexts);
    }
    memcpy(now, sums, (size_t)count * sizeof *now);
    if (next)
        memcpy(next, nexts, (size_t)count * sizeof *next);
}

/* Whole vectors for all columns, so that they round the same. The last one may overlap the one
   before it: so it is made first, and stored last. */
INLINE void blend_columns(const uint8_t *bytes, ptrdiff_t stride, const float *weights, int rows,
                          int count, float *now, float *next)
{
    if (count < LANES) {
        blend_few(bytes, stride, weights, rows, count, now, next);
        return;
    }
    const int last = count - LANES;
    float *next_last = next ? next + last : NULL;
    float results[LANES] = {0}, next_results[LANES] = {0};
    if (count % LANES)
        blend_vectors(bytes + last, stride, weights, rows, 1, now + last, next_last, results,
                      next_results);
    int i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES)
        blend_vectors(bytes + i, stride, weights, rows, 4, now + i, next ? next + i : NULL, now + i,
                      next ? next + i : NULL);
    for (; i + LANES <= count; i += LANES)
        blend_vectors(bytes + i, stride, weights, rows, 1, now + i, next ? next + i : NULL, now + i,
                      next ? next + i : NULL);
    if (count % LANES) {
        memcpy(now + last, results, sizeof results);
        if (next)
            memcpy(next_last, next_results, sizeof next_results);
    }
}

static void blend(const uint8_t *bytes, ptrdiff_t stride, const float *weights, int rows, int count,
                  float *now, float *next)
{
    if (next)
        blend_columns(bytes, stride, weights, rows, count, now, next);
    else
        blend_columns(bytes, stride, weights, rows, count, now, NULL);
}

/* mix for a number of taps that the compiler may know. */
INLINE void mix_taps(const float *pixels, int channels, const int *firsts, const float *weights,
                     int taps, int count, float scale, float shift, float *output)
{
    const quad scales = scale - (quad){0}, shifts = shift - (quad){0};
    for (int i = 0; i < count; i++, weights += taps, output += 3) {
        const float *in = pixels + (size_t)firsts[i] * channels;
        quad sum = {0};
        UNROLL_IF_KNOWN for (int k = 0; k < taps; k++)
        {
            /* The fourth float is the next pixel's, or alpha: overwritten next. */
            quad pixel = in[k * channels] - (quad){0};
            if (channels > 1)
                pixel = load_quad(in + k * channels);
            sum = MULTIPLY_ADD_4(weights[k] - (quad){0}, pixel, sum);
        }
        store_quad(output, MULTIPLY_ADD_4(scales, sum, shifts));
    }
}

static void mix(const float *pixels, int channels, const int *firsts, const float *weights,
                int taps, int count, float scale, float shift, float *output)
{
    switch (channels == 3 ? taps : 0) {
#define MIX(n) \
    case n: mix_taps(pixels, 3, firsts, weights, n, count, scale, shift, output); break
        MIX(2);
        MIX(3);
        MIX(4);
        MIX(5);
        MIX(6);
        MIX(7);
        MIX(8);
        MIX(9);
        MIX(10);
        MIX(11);
        MIX(12);
        MIX(13);
        MIX(14);
    default: mix_taps(pixels, channels, firsts, weights, taps, count, scale, shift, output);
    }
}
