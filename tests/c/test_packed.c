/* Packed networks, run row by row, against the same networks run layer by layer (mt_workspace). */
#include "test.h"
#include "workspace.h"

#define CFG "test_packed.cfg"
#define TOLERANCE 1e-5f

static mtcnn_error error;
static float largest;

/* Loads a cfg with random weights: those of the fan-in's size, so that values stay near 1. */
static mtcnn_network *load(const char *cfg, uint64_t *state)
{
    mtcnn_network *network = NULL;
    test_write_text(CFG, cfg);
    if (mtcnn_network_load(&network, CFG, NULL, &error))
        fprintf(stderr, "%s\n", error.message);
    REQUIRE(network);
    for (int i = 0; i < network->layer_count; i++) {
        mt_layer *layer = &network->layers[i];
        if (layer->type == &mt_convolutional) {
            const size_t outs = (size_t)layer->out.channels;
            const size_t ins = layer->type->weight_count(layer) / outs - 1;
            test_fill((float *)layer->biases, outs, state); /* the network's own zeros */
            for (size_t j = 0; j < outs * ins; j++)
                ((float *)layer->weights)[j] = test_random_float(state) * sqrtf(3.0f / (float)ins);
        }
        if (layer->slopes)
            test_fill((float *)layer->slopes, (size_t)layer->groups, state);
    }
    return network;
}

/* The same input both ways; kernels: those to pack for. */
static void compare(mtcnn_network *network, const mt_kernels *kernels, int batch, int height,
                    int width, uint64_t *state)
{
    mt_workspace workspace = {0};
    mtcnn_shape shape;
    REQUIRE(!mt_workspace_plan(&workspace, network, batch, height, width, &error));
    const size_t in = (size_t)batch * network->input.channels * height * width;
    float *input = malloc(in * sizeof *input);
    REQUIRE(input);
    test_fill(input, in, state);
    memcpy(mt_workspace_input(&workspace), input, in * sizeof *input);
    const float *plain = mt_workspace_run(&workspace, &shape);

    const size_t out = batch * mt_volume(shape);
    float *fast = test_guarded(out * sizeof *fast);
    mt_packed_free(&network->packed);
    REQUIRE(!mt_pack(&network->packed, network, kernels));
    CHECK(network->packed); /* otherwise this test proves nothing */
    REQUIRE(!mtcnn_network_run(network, input, batch, height, width, fast, out, &error));
    const float difference = test_largest_difference(plain, fast, out);
    if (!(difference <= TOLERANCE))
        fprintf(stderr, "%s, %d x %dx%d: %g\n", kernels->name, batch, width, height,
                (double)difference);
    CHECK(difference <= TOLERANCE);
    largest = fmaxf(largest, difference);
    test_guarded_free(fast, out * sizeof *fast);
    free(input);
    mt_workspace_free(&workspace);
}

#define NET(side) "[net]\nwidth=" #side "\nheight=" #side "\nchannels=3\n"
#define CONV(filters, size, activation) \
    "[convolutional]\nfilters=" #filters "\nsize=" #size "\nactivation=" #activation "\n"
#define POOL(size, stride, padding) \
    "[maxpool]\nsize=" #size "\nstride=" #stride "\npadding=" #padding "\n"
#define HEADS \
    CONV(1, 1, logistic) "[route]\nlayers=-2\n" CONV(4, 1, linear) "[route]\nlayers=-3,-1\n"

static const char pnet[] = NET(12) CONV(10, 3, leaky) POOL(2, 2, 1) CONV(16, 3, leaky)
    CONV(32, 3, leaky) HEADS;
/* PReLU of both kinds, dropout, other activations, pooling without padding. */
static const char pnet_prelu[] = NET(12) CONV(7, 3, linear) "[prelu]\ngroups=7\n" POOL(
    2, 2, 0) "[dropout]\n" CONV(17, 3, linear) "[prelu]\ngroups=1\n"
                                               "[route]\nlayers=-1\n" CONV(5, 3, relu) HEADS;
static const char rnet[] = NET(24) CONV(28, 3, leaky) POOL(3, 2, 1) CONV(48, 3, leaky) POOL(3, 2, 1)
    CONV(64, 2, leaky) CONV(128, 3, leaky) HEADS;
static const char onet[] = NET(48) CONV(32, 3, leaky) POOL(3, 2, 1) CONV(64, 3, leaky) POOL(3, 2, 1)
    CONV(64, 3, leaky) POOL(2, 2, 1) CONV(128, 2, leaky) CONV(256, 3, leaky)
        CONV(1, 1, logistic) "[route]\nlayers=-2\n" CONV(4, 1, linear) "[route]\nlayers=-4\n" CONV(
            10, 1, linear) "[route]\nlayers=-5,-3,-1\n";
/* Heads that are dense themselves, channels that need padding everywhere. */
static const char odd[] = NET(9) CONV(5, 2, linear) POOL(3, 1, 1) CONV(19, 3, leaky)
    CONV(2, 5, tanh) "[route]\nlayers=-2\n" CONV(3, 5, linear) "[route]\nlayers=-1,-3\n";

/* Makes 2x2 pixels of its own size: neither fully dense nor a single pixel. */
static const char four[] = NET(9) CONV(5, 2, linear) POOL(3, 1, 1) CONV(19, 3, leaky)
    CONV(2, 4, tanh) "[route]\nlayers=-2\n" CONV(3, 4, linear) "[route]\nlayers=-1,-3\n";

/* More channels than a picture has, not whole vectors: for Winograd after the input only. */
static const char nine[] = "[net]\nwidth=12\nheight=12\nchannels=9\n" CONV(12, 3, leaky)
    CONV(8, 3, relu) HEADS;

static void compare_all(const mt_kernels *kernels)
{
    uint64_t state = 41;
    const int sizes[][2] = {{12, 12}, {13, 12}, {12, 13}, {14, 31}, {57, 40}, {30, 203}};
    const char *fully[] = {pnet, pnet_prelu, nine};
    for (int n = 0; n < 3; n++) {
        mtcnn_network *network = load(fully[n], &state);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            compare(network, kernels, 1 + (int)i % 3, sizes[i][0], sizes[i][1], &state);
        mtcnn_network_free(&network);
    }
    const struct {
        const char *cfg;
        int side;
    } dense[] = {{rnet, 24}, {onet, 48}, {odd, 9}, {four, 9}};
    for (int n = 0; n < 4; n++) {
        mtcnn_network *network = load(dense[n].cfg, &state);
        const int batches[] = {1, 2, 7, 13};
        for (int i = 0; i < 4; i++)
            compare(network, kernels, batches[i], dense[n].side, dense[n].side, &state);
        compare(network, kernels, 2, dense[n].side + 9, dense[n].side + 4, &state);
        mtcnn_network_free(&network);
    }
}

/* Networks of another form are not packed, but still run. */
static void others_are_not_packed(void)
{
    const char *cfgs[] = {
        NET(12) CONV(3, 3, leaky), /* no route */
        NET(12) "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=leaky\n" HEADS, /* padding */
        NET(12) "[convolutional]\nfilters=4\nsize=3\nstride=2\nactivation=leaky\n" HEADS,
        NET(12) CONV(4, 3, elu) HEADS,                 /* not two lines */
        NET(12) CONV(4, 3, leaky) POOL(3, 1, 2) HEADS, /* padding */
        NET(12) CONV(4, 3, leaky) "[avgpool]\n" HEADS,
        NET(12) CONV(3, 1, leaky)
            CONV(3, 1, leaky) "[shortcut]\nfrom=-2\nactivation=linear\n" HEADS,
        NET(12) CONV(4, 3, leaky) CONV(4, 1, leaky) "[route]\nlayers=-1,-2\n", /* no common trunk */
    };
    for (size_t i = 0; i < sizeof cfgs / sizeof *cfgs; i++) {
        uint64_t state = 42;
        mtcnn_network *network = load(cfgs[i], &state);
        CHECK(!network->packed);
        mtcnn_network_free(&network);
    }
}

int main(void)
{
    const mt_kernels *list[MT_MAX_KERNELS];
    const int count = mt_kernels_all(list);
    for (int k = 0; k < count; k++) {
        largest = 0.0f;
        compare_all(list[k]);
        printf("%-7s largest difference of a packed network %.1e, tolerance %.0e\n", list[k]->name,
               (double)largest, (double)TOLERANCE);
    }
    others_are_not_packed();
    remove(CFG);
    return test_end();
}
