/*
 * The transforms of F(4x4, 3x3), see winograd.h; included by kernels_template.h.
 *
 * Both are the same one-dimensional step, first down the columns of a tile, then along its rows.
 * The sums and differences of points +x and -x share their even and odd powers.
 */
#define P1 MT_POINT_1
#define P2 MT_POINT_2

/* B^T d */
static inline void transform_input(const vec d[6], vec out[6])
{
    const vec squares = broadcast(-(P1 * P1 + P2 * P2)), product = broadcast(P1 * P1 * P2 * P2);
    const vec square_1 = broadcast(-P1 * P1), square_2 = broadcast(-P2 * P2);
    const vec even_1 = MULTIPLY_ADD(square_2, d[2], d[4]);
    const vec even_2 = MULTIPLY_ADD(square_1, d[2], d[4]);
    const vec odd_1 = broadcast(P1) * MULTIPLY_ADD(square_2, d[1], d[3]);
    const vec odd_2 = broadcast(P2) * MULTIPLY_ADD(square_1, d[1], d[3]);
    out[0] = MULTIPLY_ADD(product, d[0], MULTIPLY_ADD(squares, d[2], d[4]));
    out[1] = even_1 + odd_1;
    out[2] = even_1 - odd_1;
    out[3] = even_2 + odd_2;
    out[4] = even_2 - odd_2;
    out[5] = MULTIPLY_ADD(product, d[1], MULTIPLY_ADD(squares, d[3], d[5]));
}

/* A^T m */
static inline void transform_output(const vec m[6], vec out[4])
{
    const vec sum_1 = m[1] + m[2], difference_1 = m[1] - m[2];
    const vec sum_2 = m[3] + m[4], difference_2 = m[3] - m[4];
    out[0] = m[0] + (sum_1 + sum_2);
    out[1] = MULTIPLY_ADD(broadcast(P1), difference_1, broadcast(P2) * difference_2);
    out[2] = MULTIPLY_ADD(broadcast(P1 * P1), sum_1, broadcast(P2 * P2) * sum_2);
    out[3] = MULTIPLY_ADD(broadcast(P1 * P1 * P1), difference_1,
                          MULTIPLY_ADD(broadcast(P2 * P2 * P2), difference_2, m[5]));
}

static void tiles_in(const mt_tiles_in *work)
{
    for (int tile = 0; tile < work->tiles; tile++) {
        for (int c = 0; c < work->step; c += LANES) {
            const ptrdiff_t at = (ptrdiff_t)tile * 4 * work->step + c;
            vec half[6][6]; /* [row][column] */
            for (int x = 0; x < 6; x++) {
                vec column[6], out[6];
                UNROLL for (int r = 0; r < 6; r++)
                    column[r] = load(work->rows[r] + at + (ptrdiff_t)x * work->step);
                transform_input(column, out);
                UNROLL for (int r = 0; r < 6; r++) half[r][x] = out[r];
            }
            float *values = work->values + (ptrdiff_t)tile * work->step + c;
            for (int r = 0; r < 6; r++) {
                vec out[6];
                transform_input(half[r], out);
                UNROLL for (int x = 0; x < 6; x++, values += work->values_step)
                    store(values, out[x]);
            }
        }
    }
}

static void tiles_multiply(const mt_tiles_multiply *work)
{
    const multiply_function *functions = work->panel == 1 ? multiply_1 : multiply_2;
    const int most = work->panel == 1 ? MAX_1 : MAX_2, width = work->panel * LANES;
    const int blocks = (work->tiles + most - 1) / most;
    const int smaller = work->tiles / blocks, larger = work->tiles % blocks; /* these by one */
    const float *weights = work->weights;
    for (int p = 0; p < 36; p++, weights += work->channels * width) {
        const float *values = work->values + p * work->values_step;
        float *products = work->products + p * work->products_step;
        for (int i = 0; i < blocks; i++) {
            const int count = smaller + (i < larger);
            functions[count - 1](values, work->step, weights, work->channels, products);
            values += count * work->step;
            products += count * width;
        }
    }
}

static void tiles_out(const mt_tiles_out *work)
{
    for (int tile = 0; tile < work->tiles; tile++) {
        for (int v = 0; v < work->vectors; v++) {
            const float *product = work->products + (tile * work->vectors + v) * LANES;
            vec half[4][6]; /* [row][column] */
            for (int x = 0; x < 6; x++) {
                vec column[6], out[4];
                UNROLL for (int r = 0; r < 6; r++)
                    column[r] = load(product + (6 * r + x) * work->products_step);
                transform_output(column, out);
                UNROLL for (int r = 0; r < 4; r++) half[r][x] = out[r];
            }
            const vec bias = load(work->biases + v * LANES);
            const vec slope = load(work->slopes + v * LANES);
            for (int r = 0; r < 4; r++) {
                float *output = work->rows[r] + (ptrdiff_t)tile * 4 * work->step + v * LANES;
                vec out[4];
                transform_output(half[r], out);
                UNROLL for (int x = 0; x < 4; x++, output += work->step)
                    store(output, activate(out[x] + bias, slope));
            }
        }
    }
}

#undef P1
#undef P2
