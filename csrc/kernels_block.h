/*
 * P outputs from `first` on, of panel `panel` with V vectors; included by kernels_panel.h.
 *
 * P * V sums stay in registers; each step loads V vectors of weights and P single inputs.
 */
static void BLOCK_NAME(P, V)(const mt_row_convolution *work, int first, int panel)
{
    const ptrdiff_t step = work->step;
    const int inputs = work->row_count * work->segments * work->length;
    const float *weights = work->weights + (size_t)panel * inputs * V * LANES;
    const float *biases = work->biases + panel * V * LANES;

    vec sums[P][V];
    UNROLL for (int p = 0; p < P; p++) UNROLL for (int v = 0; v < V; v++)
        sums[p][v] = load(biases + v * LANES);

    for (int r = 0; r < work->row_count; r++) {
        for (int s = 0; s < work->segments; s++) {
            /* One pointer serves three outputs, at 0, 1 and 2 times step: x86 can address these. */
            const float *in[(P + 2) / 3];
            UNROLL for (int g = 0; g < (P + 2) / 3; g++)
                in[g] = work->rows[r] + (first + 3 * g) * step + s * work->segment_step;
            for (int j = 0; j < work->length; j++) {
                vec w[V];
                UNROLL for (int v = 0; v < V; v++) w[v] = load(weights + v * LANES);
                weights += V * LANES;
                UNROLL for (int p = 0; p < P; p++)
                {
                    const vec value = broadcast(in[p / 3][p % 3 * step]);
                    UNROLL for (int v = 0; v < V; v++)
                        sums[p][v] = MULTIPLY_ADD(w[v], value, sums[p][v]);
                }
                UNROLL for (int g = 0; g < (P + 2) / 3; g++)
                {
                    in[g]++;
                    __asm__("" : "+r"(in[g])); /* or the compiler makes a pointer of each output */
                }
            }
        }
    }

    float *output = work->output + first * work->output_step + panel * V * LANES;
    const float *slopes = work->slopes + panel * V * LANES;
    UNROLL for (int p = 0; p < P; p++, output += work->output_step)
        UNROLL for (int v = 0; v < V; v++)
            store(output + v * LANES, activate(sums[p][v], load(slopes + v * LANES)));
}

/*
 * The same without bias and activation, for dense matrices: products [P][V * LANES] = values
 * [P][channels], `step` floats apart, times weights [channels][V * LANES].
 */
static void MULTIPLY_NAME(P, V)(const float *values, ptrdiff_t step, const float *weights,
                                int channels, float *products)
{
    vec sums[P][V];
    UNROLL for (int p = 0; p < P; p++) UNROLL for (int v = 0; v < V; v++) sums[p][v] = (vec){0};
    const float *in[(P + 2) / 3];
    UNROLL for (int g = 0; g < (P + 2) / 3; g++) in[g] = values + 3 * g * step;
    for (int c = 0; c < channels; c++) {
        vec w[V];
        UNROLL for (int v = 0; v < V; v++) w[v] = load(weights + v * LANES);
        weights += V * LANES;
        UNROLL for (int p = 0; p < P; p++)
        {
            const vec value = broadcast(in[p / 3][p % 3 * step]);
            UNROLL for (int v = 0; v < V; v++) sums[p][v] = MULTIPLY_ADD(w[v], value, sums[p][v]);
        }
        UNROLL for (int g = 0; g < (P + 2) / 3; g++)
        {
            in[g]++;
            __asm__("" : "+r"(in[g]));
        }
    }
    UNROLL for (int p = 0; p < P; p++) UNROLL for (int v = 0; v < V; v++)
        store(products + (p * V + v) * LANES, sums[p][v]);
}
#undef P
