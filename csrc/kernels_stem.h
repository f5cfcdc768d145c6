/*
 * The first convolution and pooling of PNet, see mt_stem; included by kernels_template.h.
 *
 * Lanes are pixels here, not channels: 3 channels would leave most of a vector empty.
 */

/* Vectors of pixels that are made of one group of channels before the next. */
#define STEM_BLOCKS 8

/*
 * Pooled pixels from `at` on, `blocks` vectors of them, of G channels from `channel` on, into
 * pooled [G][STEM_BLOCKS].
 */
INLINE void stem_group(const mt_stem *work, const int G, int channel, int at, int blocks,
                       vec *pooled)
{
    mask lanes;
    for (int i = 0; i < LANES; i++)
        lanes[i] = at + i;
    for (int block = 0; block < blocks; block++, at += LANES, lanes += LANES) {
        const float *weights = work->weights + 27 * channel;
        vec sums[MAX_STEM][4]; /* top even, top odd, bottom even, bottom odd */
        UNROLL for (int g = 0; g < G; g++) UNROLL for (int q = 0; q < 4; q++) sums[g][q] = (vec){0};
        for (int y = 0; y < 3; y++) {
            const float *top = work->rows[y] + at, *bottom = work->rows[3 + y] + at;
            for (int c = 0; c < 3; c++, weights += 3) {
                UNROLL for (int x = 0; x < 3; x++)
                {
                    vec w[MAX_STEM];
                    UNROLL for (int g = 0; g < G; g++) w[g] = broadcast(weights[27 * g + x]);
                    UNROLL for (int q = 0; q < 4; q++)
                    {
                        /* Column x + q % 2 of the window: plane by parity, pixel by its half. */
                        const int column = x + q % 2;
                        const float *row = q < 2 ? top : bottom;
                        const vec value = load(row + column % 2 * work->plane + column / 2);
                        UNROLL for (int g = 0; g < G; g++)
                            sums[g][q] = MULTIPLY_ADD(w[g], value, sums[g][q]);
                    }
                }
                top += 2 * work->plane;
                bottom += 2 * work->plane;
            }
        }
        if (at + LANES > work->pairs) { /* odd columns that are not there: even ones twice */
            const mask inside = lanes < work->pairs;
            UNROLL for (int g = 0; g < G; g++) UNROLL for (int q = 1; q < 4; q += 2)
                sums[g][q] = (vec)(((mask)sums[g][q] & inside) | ((mask)sums[g][q - 1] & ~inside));
        }
        UNROLL for (int g = 0; g < G; g++)
        {
            /* The activation bends once: it is largest at the largest or the smallest sum. */
            const vec bias = broadcast(work->biases[channel + g]);
            const vec slope = broadcast(work->slopes[channel + g]);
            const vec most = LARGER(LARGER(sums[g][0], sums[g][1]), LARGER(sums[g][2], sums[g][3]));
            const vec least = SMALLER(SMALLER(sums[g][0], sums[g][1]),
                                      SMALLER(sums[g][2], sums[g][3]));
            pooled[g * STEM_BLOCKS + block] = LARGER(activate(most + bias, slope),
                                                     activate(least + bias, slope));
        }
    }
}

#define STEM(G) \
    static void stem_##G(const mt_stem *work, int channel, int at, int blocks, vec *pooled) \
    { \
        stem_group(work, G, channel, at, blocks, pooled); \
    }
STEM(1)
STEM(2)
#if MAX_STEM == 5
STEM(3)
STEM(4)
STEM(5)
#endif
#undef STEM

typedef void (*stem_function)(const mt_stem *work, int channel, int at, int blocks, vec *pooled);

/* From lanes of pixels, pooled [step][STEM_BLOCKS], to pixels of channels, 4 by 4. */
static void stem_turn(const mt_stem *work, const vec *pooled, int at)
{
    const int left = work->outputs - at;
    const int end = left < STEM_BLOCKS * LANES ? left : STEM_BLOCKS * LANES;
    for (int p = 0; p < end; p += 4) {
        float *output = work->output + (ptrdiff_t)(at + p) * work->step;
        const int count = end - p < 4 ? end - p : 4;
        for (int c = 0; c < work->step; c += 4) {
            quad square[4];
            UNROLL for (int i = 0; i < 4; i++)
                square[i] = load_quad((const float *)(pooled + (c + i) * STEM_BLOCKS) + p);
            transpose(square);
            for (int i = 0; i < count; i++)
                store_quad(output + (ptrdiff_t)i * work->step + c, square[i]);
        }
    }
}

static void stem(const mt_stem *work)
{
    static const stem_function functions[] = {
        stem_1,
        stem_2,
#if MAX_STEM == 5
        stem_3,
        stem_4,
        stem_5,
#endif
    };
    vec pooled[MT_MAX_STEM_CHANNELS * STEM_BLOCKS];
    memset(pooled + work->channels * STEM_BLOCKS, 0,
           (size_t)(work->step - work->channels) * STEM_BLOCKS * sizeof *pooled);
    const int groups = (work->channels + MAX_STEM - 1) / MAX_STEM;
    for (int at = 0; at < work->outputs; at += STEM_BLOCKS * LANES) {
        const int left = (work->outputs - at + LANES - 1) / LANES;
        const int blocks = left < STEM_BLOCKS ? left : STEM_BLOCKS;
        for (int i = 0, channel = 0; i < groups; i++) {
            const int count = (work->channels - channel + groups - i - 1) / (groups - i);
            functions[count - 1](work, channel, at, blocks, pooled + channel * STEM_BLOCKS);
            channel += count;
        }
        stem_turn(work, pooled, at);
    }
}

static void split(const float *pixels, int count, ptrdiff_t plane, float *planes)
{
    for (int x = 0; x < count; x += 8, pixels += 24, planes += 4) {
        quad first[4], last[4]; /* of the 6 values of two pixels */
        UNROLL for (int i = 0; i < 4; i++)
        {
            first[i] = load_quad(pixels + 6 * i);
            last[i] = load_quad(pixels + 6 * i + 2);
        }
        transpose(first); /* channels 0, 1, 2 of even pixels, 0 of odd ones */
        transpose(last);  /* 2 of even ones, 0, 1, 2 of odd ones */
        store_quad(planes, first[0]);
        store_quad(planes + plane, first[3]);
        store_quad(planes + 2 * plane, first[1]);
        store_quad(planes + 3 * plane, last[2]);
        store_quad(planes + 4 * plane, first[2]);
        store_quad(planes + 5 * plane, last[3]);
    }
}
