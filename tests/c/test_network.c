/* Networks: reading cfg and weights, every kind of layer against a plain loop, shared memory. */
#include "network.h"
#include "test.h"

#define CFG "test_network.cfg"
#define WEIGHTS "test_network.weights"

#define NET "[net]\nwidth=8\nheight=6\nchannels=2\n"
#define CONV(filters, size) \
    "[convolutional]\nfilters=" #filters "\nsize=" #size "\nstride=1\npad=0\nactivation=linear\n"

static mtcnn_error error;
static double largest; /* difference of a layer from its plain loop */

/* Checks that two values of a layer agree. */
#define CHECK_NEAR(made, expected, tolerance) \
    do { \
        const double difference = fabs((double)(made) - (double)(expected)); \
        largest = fmax(largest, difference); \
        CHECK(difference < (tolerance)); \
    } while (0)

static mtcnn_network *load(const char *cfg)
{
    mtcnn_network *network = NULL;
    test_write_text(CFG, cfg);
    int status = mtcnn_network_load(&network, CFG, NULL, &error);
    if (status)
        fprintf(stderr, "%s\n", error.message);
    REQUIRE(!status && network);
    return network;
}

/* Writes values behind a header of this version; the old form counts what it saw in 4 bytes. */
static void write_weights(int32_t major, int32_t minor, int seen_bytes, const float *values,
                          size_t bytes)
{
    unsigned char file[65536] = {0};
    const int32_t version[3] = {major, minor, 0};
    REQUIRE(20 + bytes <= sizeof file);
    memcpy(file, version, 12);
    memcpy(file + 12 + seen_bytes, values, bytes);
    test_write(WEIGHTS, file, 12 + (size_t)seen_bytes + bytes);
}

static mtcnn_network *load_with(const char *cfg, const float *values, size_t count)
{
    mtcnn_network *network = NULL;
    test_write_text(CFG, cfg);
    write_weights(0, 2, 8, values, 4 * count);
    int status = mtcnn_network_load(&network, CFG, WEIGHTS, &error);
    if (status)
        fprintf(stderr, "%s\n", error.message);
    REQUIRE(!status);
    return network;
}

static void refuse(const char *cfg, const char *part)
{
    mtcnn_network *network = (mtcnn_network *)&error;
    test_write_text(CFG, cfg);
    CHECK(mtcnn_network_load(&network, CFG, NULL, &error) == MTCNN_ERROR_CFG);
    CHECK(network == NULL);
    CHECK_HOLDS(error.message, CFG);
    CHECK_HOLDS(error.message, part);
}

static void bad_cfgs(void)
{
    refuse("", "no sections");
    refuse("width=3\n" NET CONV(1, 1), ":1: an option before");
    refuse("[convolutional]\n", "the first section is [convolutional]");
    refuse(NET, "has 0 layers");
    refuse("[net]\nwidth=1048576\nheight=1048576\nchannels=65536\n"
           "[connected]\noutput=65536\nactivation=linear\n",
           ":1: [net] of 65536 channels");
    refuse("[net]\nwidth=8\nheight=6\n" CONV(1, 1), "channels");
    refuse(NET "[upsample]\nstride=2\n", ":5: unknown section [upsample]");
    refuse(NET CONV(1, -3), "size=-3");
    refuse(NET CONV(1000000000, 1), "filters=1000000000: one whole number from 1 to 65536");
    refuse(NET CONV(99999999999999999999, 1), "filters=");
    refuse(NET CONV(1, 7), "a kernel of 7 does not fit an input of 8x6");
    refuse(NET CONV(two, 3), "filters=two");
    refuse("[net]\nwidth=-8\nheight=6\nchannels=2\n" CONV(1, 1), "width=-8");
    refuse("[net]\nwidth=1000000\nheight=1000000\nchannels=2\n" CONV(1, 1), "too large");
    refuse(NET "[convolutional]\nfilters=1\nactivation=swoosh\n",
           ":7: [convolutional] unknown activation 'swoosh'");
    refuse(NET "[convolutional]\nfilters=1\n", "activation");
    refuse(NET "[convolutional]\nfilters=3\ngroups=2\nactivation=linear\n", "groups=2");
    refuse(NET "[convolutional]\nfilters=3\ndilation=2\nactivation=linear\n", "dilation=2");
    refuse(NET CONV(65536, 1) CONV(65536, 1), "weights");
    refuse("[net]\nwidth=1024\nheight=1024\nchannels=1024\n" CONV(65536, 1024), "weights");
    refuse(NET "[convolutional]\nfilters=1\nstride=2\nstride_x=1\nactivation=linear\n",
           "stride_x=1");
    refuse(NET CONV(1, 1) CONV(1, 1) "[shortcut]\nfrom=-2\nalpha=2\nactivation=linear\n",
           "alpha=2");
    refuse(NET "[route]\nlayers=-1\n", "layer -1 does not exist");
    refuse(NET CONV(1, 1) "[route]\nlayers=5\n", ":12: [route]: layer 5 does not exist");
    refuse(NET CONV(1, 1) "[route]\nlayers=-2147483649\n", "does not exist");
    refuse(NET CONV(1, 1) "[route]\nlayers=\n", "layers");
#define EIGHT "-1,-1,-1,-1,-1,-1,-1,-1,"
    refuse(NET CONV(1, 1) "[route]\nlayers=" EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT "-1\n",
           "joins more than 64 layers");
    refuse(NET CONV(1, 1) CONV(1, 3) "[route]\nlayers=-1,-2\n", "different sizes");
    refuse(NET CONV(1, 1) CONV(2, 1) "[shortcut]\nfrom=-2\nactivation=linear\n", "1 channels to 2");
    refuse(NET CONV(1, 1) "[shortcut]\nfrom=-3\nactivation=linear\n", "from=-3");
    refuse(NET CONV(3, 1) "[prelu]\ngroups=2\n", "groups=2 slopes for 3 channels");
    refuse(NET "[softmax]\ngroups=3\n", "groups=3");
    refuse(NET "[maxpool]\nsize=20\nstride=1\npadding=0\n", "window of 20");
    mtcnn_network *network = NULL;
    CHECK(mtcnn_network_load(&network, "absent.cfg", NULL, &error) == MTCNN_ERROR_FILE);
    CHECK_HOLDS(error.message, "absent.cfg");
    network = (mtcnn_network *)&error;
    CHECK(mtcnn_network_load(&network, NULL, NULL, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(network == NULL);
    CHECK(mtcnn_network_load(&network, "two\nlines.cfg", NULL, &error) == MTCNN_ERROR_FILE);
    CHECK_HOLDS(error.message, "two?lines.cfg");
    CHECK(mtcnn_network_load(&network, "absent.cfg", NULL, NULL) == MTCNN_ERROR_FILE);
}

static void weights_files(void)
{
    const char *cfg = NET CONV(3, 1);
    const float values[10] = {1, 2, 3, 4, 5,
                              6, 7, 8, 9, 10}; /* 3 biases, 3x2 weights, 1 too many */
    mtcnn_network *network = NULL;
    test_write_text(CFG, cfg);

    const struct {
        int32_t major, minor;
        int seen;
    } forms[] = {{0, 2, 8}, {0, 1, 4}, {0, 0, 4}, {1, 0, 8}, {2000, 2, 4}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        write_weights(forms[i].major, forms[i].minor, forms[i].seen, values, 36);
        CHECK(mtcnn_network_load(&network, CFG, WEIGHTS, &error) == MTCNN_OK);
        CHECK(network && network->layers[0].biases[2] == 3.0f);
        CHECK(network && network->layers[0].weights[0] == 4.0f);
        CHECK(network && mtcnn_network_weights(network) == 9);
        mtcnn_network_free(&network);
    }
    const size_t wrong[] = {0, 4, 32, 35, 37, 40};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_weights(0, 2, 8, values, wrong[i]);
        CHECK(mtcnn_network_load(&network, CFG, WEIGHTS, &error) == MTCNN_ERROR_WEIGHTS);
        CHECK(network == NULL);
        CHECK_HOLDS(error.message, wrong[i] < 36 ? "missing" : "too many");
    }
    test_write(WEIGHTS, "short", 5);
    CHECK(mtcnn_network_load(&network, CFG, WEIGHTS, &error) == MTCNN_ERROR_WEIGHTS);
    test_write(WEIGHTS, "", 0);
    CHECK(mtcnn_network_load(&network, CFG, WEIGHTS, &error) == MTCNN_ERROR_WEIGHTS);

    float broken[9] = {1, 2, 3, 4, NAN, 6, 7, 8, 9};
    write_weights(0, 2, 8, broken, 36);
    CHECK(mtcnn_network_load(&network, CFG, WEIGHTS, &error) == MTCNN_ERROR_WEIGHTS);
    CHECK_HOLDS(error.message, "weight 4 of layer 0");
    CHECK(mtcnn_network_load(&network, CFG, "absent.weights", &error) == MTCNN_ERROR_FILE);

    /* A negative variance: biases, scales, means, variances, weights. */
    const float batch_norm[6] = {0, 1, 0, -1, 1, 1};
    test_write_text(CFG, NET "[convolutional]\nbatch_normalize=1\nfilters=1\nactivation=linear\n");
    write_weights(0, 2, 8, batch_norm, 24);
    CHECK(mtcnn_network_load(&network, CFG, WEIGHTS, &error) == MTCNN_ERROR_WEIGHTS);
    CHECK_HOLDS(error.message, "batch normalisation of layer 0");
}

/* One layer of a cfg, run on random input; the caller compares with its own plain loop. */
static void run(const mtcnn_network *network, const float *input, int batch, float *output,
                size_t length)
{
    int status = mtcnn_network_run(network, input, batch, 6, 8, output, length, &error);
    if (status)
        fprintf(stderr, "%s\n", error.message);
    REQUIRE(!status);
}

enum { IN = 2 * 6 * 8, BATCH = 3 };

static void maxpool(void)
{
    uint64_t state = 11;
    float input[BATCH * IN], output[BATCH * IN * 4];
    test_fill(input, BATCH * IN, &state);
    for (int size = 1; size <= 4; size++) {
        for (int stride = 1; stride <= 3; stride++) {
            for (int padding = 0; padding < size; padding++) {
                char cfg[256];
                snprintf(cfg, sizeof cfg, NET "[maxpool]\nsize=%d\nstride=%d\npadding=%d\n", size,
                         stride, padding);
                mtcnn_network *network = load(cfg);
                const int h = (6 + padding - size) / stride + 1,
                          w = (8 + padding - size) / stride + 1;
                run(network, input, BATCH, output, (size_t)BATCH * 2 * h * w);
                for (int p = 0; p < BATCH * 2; p++)
                    for (int y = 0; y < h; y++)
                        for (int x = 0; x < w; x++) {
                            float most = -INFINITY;
                            for (int ky = 0; ky < size; ky++)
                                for (int kx = 0; kx < size; kx++) {
                                    int iy = y * stride + ky - padding / 2;
                                    int ix = x * stride + kx - padding / 2;
                                    if (iy >= 0 && iy < 6 && ix >= 0 && ix < 8)
                                        most = fmaxf(most, input[(p * 6 + iy) * 8 + ix]);
                                }
                            CHECK(output[(p * h + y) * w + x] == most);
                        }
                mtcnn_network_free(&network);
            }
        }
    }
    /* The paper's pooling: padding=1 at stride 2 rounds the size up. */
    mtcnn_network *network = load("[net]\nwidth=11\nheight=11\nchannels=1\n"
                                  "[maxpool]\nsize=2\nstride=2\npadding=1\n");
    CHECK(network->layers[0].out.width == 6);
    mtcnn_network_free(&network);
}

static void small_layers(void)
{
    uint64_t state = 12;
    float input[BATCH * IN], output[BATCH * IN];
    test_fill(input, BATCH * IN, &state);

    mtcnn_network *network = load(NET "[avg]\n");
    run(network, input, BATCH, output, BATCH * 2);
    for (int p = 0; p < BATCH * 2; p++) {
        double sum = 0;
        for (int i = 0; i < 48; i++)
            sum += input[p * 48 + i];
        CHECK_NEAR(output[p], sum / 48, 1e-6);
    }
    mtcnn_network_free(&network);

    network = load(NET "[dropout]\nprobability=0.5\n");
    run(network, input, BATCH, output, BATCH * IN);
    CHECK(!memcmp(input, output, sizeof output));
    mtcnn_network_free(&network);

    const float slopes[2] = {0.25f, -0.5f};
    network = load_with(NET "[prelu]\ngroups=2\n", slopes, 2);
    run(network, input, BATCH, output, BATCH * IN);
    for (int i = 0; i < BATCH * IN; i++)
        CHECK(output[i] == (input[i] > 0 ? input[i] : slopes[i / 48 % 2] * input[i]));
    mtcnn_network_free(&network);

    network = load_with(NET "[prelu]\n", slopes, 1);
    run(network, input, BATCH, output, BATCH * IN);
    for (int i = 0; i < BATCH * IN; i++)
        CHECK(output[i] == (input[i] > 0 ? input[i] : 0.25f * input[i]));
    mtcnn_network_free(&network);

    network = load(NET "[soft]\nspatial=1\ntemperature=2\n");
    run(network, input, BATCH, output, BATCH * IN);
    for (int b = 0; b < BATCH; b++)
        for (int i = 0; i < 48; i++) {
            const float *in = input + b * IN + i;
            CHECK_NEAR(output[b * IN + i], 1.0f / (1.0f + expf((in[48] - in[0]) / 2)), 1e-6f);
        }
    mtcnn_network_free(&network);

    network = load(NET "[softmax]\ngroups=2\n");
    run(network, input, BATCH, output, BATCH * IN);
    for (int g = 0; g < BATCH * 2; g++) {
        float sum = 0;
        for (int i = 0; i < 48; i++)
            sum += output[g * 48 + i];
        CHECK(fabsf(sum - 1.0f) < 1e-5f);
        CHECK(fabsf(output[g * 48] / output[g * 48 + 1] - expf(input[g * 48] - input[g * 48 + 1])) <
              1e-4f);
    }
    mtcnn_network_free(&network);
}

static void connected(void)
{
    uint64_t state = 13;
    enum { OUT = 5 };
    float input[BATCH * IN], output[BATCH * OUT], values[OUT + OUT * IN + 3 * OUT];
    test_fill(input, BATCH * IN, &state);
    test_fill(values, sizeof values / sizeof *values, &state);
    for (int o = 0; o < OUT; o++) /* variances are positive */
        values[OUT + OUT * IN + 2 * OUT + o] = 0.5f + 0.1f * (float)o;

    for (int normalize = 0; normalize < 2; normalize++) {
        for (int transposed = 0; transposed < 2; transposed++) {
            mtcnn_network *network = NULL;
            test_write_text(CFG, normalize ? NET "[connected]\noutput=5\nactivation=relu\n"
                                                 "batch_normalize=1\n"
                                           : NET "[connected]\noutput=5\nactivation=relu\n");
            write_weights(transposed ? 1001 : 0, 2, transposed ? 4 : 8, values,
                          4 * (size_t)(OUT + OUT * IN + (normalize ? 3 * OUT : 0)));
            REQUIRE(!mtcnn_network_load(&network, CFG, WEIGHTS, &error));
            run(network, input, BATCH, output, BATCH * OUT);
            const float *weights = values + OUT, *scales = weights + OUT * IN;
            for (int b = 0; b < BATCH; b++)
                for (int o = 0; o < OUT; o++) {
                    double sum = 0;
                    for (int i = 0; i < IN; i++)
                        sum += (double)input[b * IN + i] *
                               (double)weights[transposed ? i * OUT + o : o * IN + i];
                    if (normalize)
                        sum = scales[o] * (sum - scales[OUT + o]) /
                              (sqrt(scales[2 * OUT + o]) + 1e-6);
                    sum += values[o];
                    CHECK_NEAR(output[b * OUT + o], fmax(sum, 0), 1e-5);
                }
            float small[BATCH * OUT];
            CHECK(mtcnn_network_run(network, input, 1, 5, 8, small, OUT, &error) ==
                  MTCNN_ERROR_CFG); /* a connected layer takes its own size only */
            mtcnn_network_free(&network);
        }
    }
}

static void convolutional(void)
{
    uint64_t state = 14;
    enum { OUT = 3, W = OUT * 2 * 9 };
    float input[BATCH * IN], output[BATCH * OUT * 4 * 6], values[4 * OUT + W];
    test_fill(input, BATCH * IN, &state);
    test_fill(values, sizeof values / sizeof *values, &state);
    for (int o = 0; o < OUT; o++)
        values[3 * OUT + o] = 0.5f + 0.1f * (float)o; /* variances */
    mtcnn_network *network = load_with(
        NET "[convolutional]\nbatch_normalize=1\nfilters=3\nsize=3\nstride=1\npad=0\n"
            "activation=leaky\n",
        values, 4 * OUT + W);
    run(network, input, BATCH, output, BATCH * OUT * 24);
    const float *scales = values + OUT, *weights = values + 4 * OUT;
    for (int b = 0; b < BATCH; b++)
        for (int o = 0; o < OUT; o++)
            for (int y = 0; y < 4; y++)
                for (int x = 0; x < 6; x++) {
                    double sum = 0;
                    for (int c = 0; c < 2; c++)
                        for (int k = 0; k < 9; k++)
                            sum += (double)weights[(o * 2 + c) * 9 + k] *
                                   input[((b * 2 + c) * 6 + y + k / 3) * 8 + x + k % 3];
                    sum = scales[o] * (sum - scales[OUT + o]) / (sqrt(scales[2 * OUT + o]) + 1e-6) +
                          values[o];
                    sum = sum > 0 ? sum : 0.1 * sum;
                    CHECK_NEAR(output[((b * OUT + o) * 4 + y) * 6 + x], sum, 1e-5);
                }
    mtcnn_network_free(&network);

    /* pad=1 is size/2 and overrides padding; a stride in between. */
    network = load(NET "[convolutional]\nfilters=1\nsize=5\nstride=2\npad=1\npadding=7\n"
                       "activation=linear\n");
    CHECK(network->layers[0].out.height == 3 && network->layers[0].out.width == 4);
    mtcnn_network_free(&network);
}

/* Routes, in-place layers and later readers of the same tensor: all must see the right values. */
static void shared_memory(void)
{
    uint64_t state = 15;
    const char *cfg = NET CONV(2, 1)              /* 0: a = conv(x) */
        "[prelu]\ngroups=1\n"                     /* 1: b = prelu(a); a is read again below */
        "[route]\nlayers=-1\n"                    /* 2: = b */
        "[prelu]\ngroups=1\n"                     /* 3: c = prelu(b); b is read again below */
        "[shortcut]\nfrom=0\nactivation=linear\n" /* 4: d = c + a */
        "[route]\nlayers=1,-1,0\n"                /* 5: b, d, a */
        "[prelu]\ngroups=1\n";                    /* 6: e = prelu(b, d, a) in place */
    float values[6 + 3], input[BATCH * IN], output[BATCH * 3 * IN];
    test_fill(values, 9, &state);
    test_fill(input, BATCH * IN, &state);
    mtcnn_network *network = load_with(cfg, values, 9);
    run(network, input, BATCH, output, BATCH * 3 * IN);
    const float s1 = values[6], s3 = values[7], s6 = values[8];
#define PRELU(x, s) ((x) > 0 ? (x) : (s) * (x))
    for (int b = 0; b < BATCH; b++)
        for (int o = 0; o < 2; o++)
            for (int i = 0; i < 48; i++) {
                const float *in = input + b * IN + i;
                const float av = values[o] + values[2 + o * 2] * in[0] + values[3 + o * 2] * in[48];
                const float bv = PRELU(av, s1), dv = PRELU(bv, s3) + av;
                const float *out = output + b * 3 * IN + o * 48 + i;
                CHECK(fabsf(out[0] - PRELU(bv, s6)) < 1e-5f);
                CHECK(fabsf(out[IN] - PRELU(dv, s6)) < 1e-5f);
                CHECK(fabsf(out[2 * IN] - PRELU(av, s6)) < 1e-5f);
            }

    mtcnn_shape shape;
    const char *type;
    CHECK(!mtcnn_network_shape(network, 5, 6, 8, &shape, &type, &error));
    CHECK(shape.channels == 6 && shape.height == 6 && shape.width == 8 && !strcmp(type, "route"));
    CHECK(mtcnn_network_shape(network, 7, 6, 8, &shape, &type, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_network_shape(network, 0, 0, 8, &shape, &type, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_network_run(network, input, 1, 6, 8, output, 1, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_network_run(network, NULL, 1, 6, 8, output, 288, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_network_run(NULL, input, 1, 6, 8, output, 288, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_network_run(network, input, INT32_MAX, 6, 8, output, 288, &error) ==
          MTCNN_ERROR_ARGUMENT);
    CHECK_HOLDS(error.message, "a batch of 2147483647 is too large");
    CHECK(mtcnn_network_shape(NULL, 0, 6, 8, &shape, &type, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_network_layers(network) == 7);
    CHECK(mtcnn_network_input(network).width == 8);
    mtcnn_network_free(&network);
    mtcnn_network_free(&network);
    mtcnn_network_free(NULL);
}

static void activations(void)
{
    const struct {
        const char *name;
        float in[4], out[4];
    } table[] = {
        {"linear", {-2, -0.5f, 0.5f, 3}, {-2, -0.5f, 0.5f, 3}},
        {"logistic", {-2, 0, 0.5f, 3}, {0.119202922f, 0.5f, 0.622459331f, 0.952574127f}},
        {"loggy", {-2, 0, 0.5f, 3}, {-0.761594156f, 0, 0.244918662f, 0.905148254f}},
        {"relu", {-2, 0, 0.5f, 3}, {0, 0, 0.5f, 3}},
        {"elu", {-2, 0, 0.5f, 3}, {-0.864664717f, 0, 0.5f, 3}},
        {"selu", {-2, 0, 0.5f, 3}, {-1.52010758f, 0, 0.52535f, 3.1521f}},
        {"relie", {-2, 0, 0.5f, 3}, {-0.02f, 0, 0.5f, 3}},
        {"ramp", {-2, 0, 0.5f, 3}, {-0.2f, 0, 0.55f, 3.3f}},
        {"leaky", {-2, 0, 0.5f, 3}, {-0.2f, 0, 0.5f, 3}},
        {"tanh", {-2, 0, 0.5f, 30}, {-0.964027580f, 0, 0.462117157f, 1}},
        {"plse", {-5, 0, 4, 5}, {-0.01f, 0.5f, 1, 1.01f}},
        {"stair", {-1.5f, 0.5f, 1.25f, 2.75f}, {-1, 0, 0.25f, 1}},
        {"hardtan", {-2, -0.5f, 0.5f, 3}, {-1, -0.5f, 0.5f, 1}},
        {"lhtan", {-2, 0, 0.5f, 3}, {-0.002f, 0, 0.5f, 1.002f}},
    };
    CHECK(sizeof table / sizeof *table == MT_ACTIVATIONS);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        mt_activation activation;
        float values[4];
        REQUIRE(mt_activation_of(table[i].name, &activation));
        for (int k = 0; k < 4; k++)
            values[k] = table[i].in[k] - 0.25f;
        mt_activate(values, 4, 0.25f, activation);
        if (test_largest_difference(values, table[i].out, 4) > 1e-6f)
            fprintf(stderr, "%s: %g %g %g %g\n", table[i].name, (double)values[0],
                    (double)values[1], (double)values[2], (double)values[3]);
        CHECK(test_largest_difference(values, table[i].out, 4) <= 1e-6f);
        CHECK_HOLDS(mt_activation_names(), table[i].name);
    }
}

int main(void)
{
    bad_cfgs();
    weights_files();
    activations();
    maxpool();
    small_layers();
    connected();
    convolutional();
    shared_memory();
    printf("layers  largest difference from plain loops %.1e, tolerance 1e-05\n", largest);
    remove(CFG);
    remove(WEIGHTS);
    return test_end();
}
