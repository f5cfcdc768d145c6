/*
 * The first convolution and pooling of PNet, see mt_stem; included by kernels_template.h.
 *
 * Lanes are pixels here, not channels: 3 channels would leave most of a vector empty.
 */

/*
 * The pooled pixels at..at + LANES of G channels from `channel` on, into sums [G]. Of the four
 * outputs in a window, those in odd columns do not count where `inside` is zero.
 */
static inline __attribute__((always_inline)) void stem_group(const mt_stem *work, const int G,
                                                             int channel, ptrdiff_t at, mask inside,
                                                             vec *pooled)
{
    const float *weights = work->weights + 27 * channel;
    vec sums[MOST_STEM][4]; /* top even, top odd, bottom even, bottom odd */
    UNROLL for (int g = 0; g < G; g++) UNROLL for (int q = 0; q < 4; q++) sums[g][q] = (vec){0};
    for (int y = 0; y < 3; y++) {
        for (int c = 0; c < 3; c++, weights += 3) {
            const float *top = work->rows[y] + 2 * c * work->plane + at;
            const float *bottom = work->rows[3 + y] + 2 * c * work->plane + at;
            UNROLL for (int x = 0; x < 3; x++)
            {
                vec w[MOST_STEM];
                UNROLL for (int g = 0; g < G; g++) w[g] = broadcast(weights[27 * g + x]);
                UNROLL for (int q = 0; q < 4; q++)
                {
                    /* Column x + q % 2 of the window: plane by its parity, pixel by its half. */
                    const int column = x + q % 2;
                    const float *row = q < 2 ? top : bottom;
                    const vec value = load(row + column % 2 * work->plane + column / 2);
                    UNROLL for (int g = 0; g < G; g++)
                        sums[g][q] = MULTIPLY_ADD(w[g], value, sums[g][q]);
                }
            }
        }
    }
    UNROLL for (int g = 0; g < G; g++)
    {
        const vec even = LARGER(sums[g][0], sums[g][2]), odd = LARGER(sums[g][1], sums[g][3]);
        const vec counted = (vec)(((mask)odd & inside) | ((mask)even & ~inside));
        pooled[g] = activate(LARGER(even, counted) + broadcast(work->biases[channel + g]),
                             broadcast(work->slopes[channel + g]));
    }
}

#define STEM(G) \
    static void stem_##G(const mt_stem *work, int channel, ptrdiff_t at, mask inside, vec *pooled) \
    { \
        stem_group(work, G, channel, at, inside, pooled); \
    }
STEM(1)
STEM(2)
STEM(3)
#if MOST_STEM == 5
STEM(4)
STEM(5)
#endif
#undef STEM

typedef void (*stem_function)(const mt_stem *work, int channel, ptrdiff_t at, mask inside,
                              vec *pooled);

static void stem(const mt_stem *work)
{
    static const stem_function functions[] = {
        stem_1, stem_2, stem_3,
#if MOST_STEM == 5
        stem_4, stem_5,
#endif
    };
    mask lanes;
    for (int i = 0; i < LANES; i++)
        lanes[i] = i;
    vec pooled[MT_MOST_STEM_CHANNELS];
    for (int c = work->channels; c < work->step; c++)
        pooled[c] = (vec){0};
    const int groups = (work->channels + MOST_STEM - 1) / MOST_STEM;
    for (int at = 0; at < work->outputs; at += LANES) {
        const mask inside = lanes < work->pairs - at;
        for (int i = 0, channel = 0; i < groups; i++) {
            const int count = (work->channels - channel + groups - i - 1) / (groups - i);
            functions[count - 1](work, channel, at, inside, pooled + channel);
            channel += count;
        }
        /* From lanes of pixels to pixels of channels, 4 by 4. */
        const int end = work->outputs - at < LANES ? work->outputs - at : LANES;
        for (int p = 0; p < end; p += 4) {
            float *output = work->output + (ptrdiff_t)(at + p) * work->step;
            for (int c = 0; c < work->step; c += 4) {
                quad square[4];
                UNROLL for (int i = 0; i < 4; i++)
                    square[i] = *(const quad *)((const float *)&pooled[c + i] + p);
                transpose(square);
                UNROLL for (int i = 0; i < 4; i++) if (p + i < end)
                    *(quad *)(output + (ptrdiff_t)i * work->step + c) = square[i];
            }
        }
    }
}

static void split(const float *pixels, int count, ptrdiff_t plane, float *planes)
{
    for (int x = 0; x < count; x += 8, pixels += 24, planes += 4) {
        quad first[4], last[4]; /* of the 6 values of two pixels */
        UNROLL for (int i = 0; i < 4; i++)
        {
            first[i] = *(const quad *)(pixels + 6 * i);
            last[i] = *(const quad *)(pixels + 6 * i + 2);
        }
        transpose(first); /* channels 0, 1, 2 of even pixels, 0 of odd ones */
        transpose(last);  /* 2 of even ones, 0, 1, 2 of odd ones */
        *(quad *)planes = first[0];
        *(quad *)(planes + plane) = first[3];
        *(quad *)(planes + 2 * plane) = first[1];
        *(quad *)(planes + 3 * plane) = last[2];
        *(quad *)(planes + 4 * plane) = first[2];
        *(quad *)(planes + 5 * plane) = last[3];
    }
}
