/*
 * bench_core: milliseconds of the C core, stage by stage, on decoded pixels.
 *
 *     bench_core PICTURE [--model FILE.data] [--threads N] [--runs N]
 *
 * The picture is scaled to cover 640x480, 1024x768 and 1920x1080 pixels (its middle is kept), and
 * faces from 20 and from 40 pixels are looked for, with the model's other settings. Each figure is
 * the median over the runs, then the minimum of the whole; one run before them is not counted. GFLOP/s
 * count the networks' own multiplications and additions (no padding), over the stage's whole time:
 * RNet's and ONet's hold resizing and suppression, too. On one thread they can be compared with what
 * a core can do at most, which is measured first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "peak.h"
#include "picture.h"
#include "resize.h"

enum { PYRAMID, PNET, RNET, ONET, TOTAL, TIMES };

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts values [count] and returns their median. */
static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void exit_without_memory(void)
{
    fprintf(stderr, "bench_core: out of memory\n");
    exit(1);
}

/* The middle of the picture, scaled to cover width x height: [height][width][3], to be freed. */
static uint8_t *cover(const struct picture *picture, int width, int height)
{
    const mt_normalisation plain = {0.0f, 1.0f, 0.0f, MTCNN_RGB};
    const mtcnn_image image = {picture->pixels, picture->width, picture->height,
                               3 * (ptrdiff_t)picture->width, MTCNN_RGB};
    const double x_step = (double)picture->width / width, y_step = (double)picture->height / height;
    const double step = x_step < y_step ? x_step : y_step;
    const mt_span x = {(picture->width - width * step) / 2, step, 0, width, picture->width};
    const mt_span y = {(picture->height - height * step) / 2, step, 0, height, picture->height};
    const size_t pixels = (size_t)width * height;
    float *planes = malloc(3 * pixels * sizeof *planes);
    uint8_t *bytes = malloc(3 * pixels);
    mt_resizer resizer = {0};
    if (!planes || !bytes || !mt_resize_begin(&resizer, mt_kernels_get(), &image, x, y, &plain) ||
        !mt_resize_planar(&resizer, planes))
        exit_without_memory();
    for (size_t i = 0; i < pixels; i++)
        for (int c = 0; c < 3; c++)
            bytes[3 * i + c] = (uint8_t)(planes[c * pixels + i] + 0.5f);
    mt_resizer_free(&resizer);
    free(planes);
    return bytes;
}

/* Multiplications and additions of the network on one input of height x width. */
static double operations(const mtcnn_network *network, int height, int width)
{
    double sum = 0.0;
    for (int i = 0; i < network->layer_count; i++) {
        const mt_layer *layer = &network->layers[i];
        mtcnn_shape shape;
        if (!layer->type->weight_count || layer->type == &mt_prelu ||
            mtcnn_network_shape(network, i, height, width, &shape, NULL, NULL))
            continue;
        const double biases = layer->out.channels * (layer->batch_normalize ? 4.0 : 1.0);
        sum += 2.0 * ((double)layer->type->weight_count(layer) - biases) * shape.height *
               shape.width;
    }
    return sum;
}

/* Those of PNet over the pyramid of an image (docs/architecture.md, step 1). */
static double pyramid_operations(const mtcnn_model *model, const mtcnn_image *image,
                                 const mtcnn_options *options)
{
    const int shorter = image->width < image->height ? image->width : image->height;
    double sum = 0.0;
    for (double face = options->min_face; face <= shorter; face /= options->scale_factor)
        sum += operations(model->networks[MT_PNET], (int)(image->height * model->cell / face + 0.5),
                          (int)(image->width * model->cell / face + 0.5));
    return sum;
}

static int run(const mtcnn_model *model, const mtcnn_image *image, double min_face, int threads,
               int runs)
{
    mtcnn_options options;
    mtcnn_model_options(model, &options);
    options.min_face = min_face;
    options.threads = threads;
    mtcnn_detector *detector = NULL;
    mtcnn_error error;
    mtcnn_result result;
    double *times[TIMES];
    for (int t = 0; t < TIMES; t++)
        if (!(times[t] = calloc((size_t)runs, sizeof **times)))
            exit_without_memory();
    int status = mtcnn_detector_create(&detector, model, &options, &error);
    for (int i = -1; i < runs && !status; i++) {
        status = mtcnn_detect(detector, image, &result, &error);
        if (i < 0 || status)
            continue;
        times[PYRAMID][i] = result.pyramid_ms;
        for (int s = 0; s < 3; s++)
            times[PNET + s][i] = result.stages[s].milliseconds;
        times[TOTAL][i] = result.total_ms;
    }
    if (status) {
        fprintf(stderr, "bench_core: %s\n", error.message);
    } else {
        printf("%4dx%-4d  %3.0f  %7d  %5d  %4d  %5d", image->width, image->height, min_face,
               threads, result.stages[1].inputs, result.stages[2].inputs, result.count);
        double medians[TIMES];
        for (int t = 0; t < TIMES; t++)
            printf("  %7.2f", medians[t] = median(times[t], runs));
        printf("  %7.2f  %4.1f", times[TOTAL][0],
               (double)mtcnn_detector_memory(detector) / (1 << 20));
        printf("  %5.1f", 1e-6 * pyramid_operations(model, image, &options) / medians[PNET]);
        for (int s = MT_RNET; s < MT_STAGES; s++) {
            const mtcnn_network *network = model->networks[s];
            printf("  %5.1f", 1e-6 * result.stages[s].inputs *
                                  operations(network, network->input.height, network->input.width) /
                                  medians[PNET + s]);
        }
        printf("\n");
        fflush(stdout);
    }
    mtcnn_detector_free(&detector);
    for (int t = 0; t < TIMES; t++)
        free(times[t]);
    return status;
}

/* What the kernel calls the first processor; "unknown" where it does not say. */
static const char *cpu_name(char *line, int size)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    const char *name = "unknown";
    while (file && fgets(line, size, file)) {
        char *colon = strchr(line, ':');
        if (!strncmp(line, "model name", 10) && colon) {
            line[strcspn(line, "\n")] = '\0';
            name = colon + 2;
            break;
        }
    }
    if (file)
        fclose(file);
    return name;
}

int main(int argc, char **argv)
{
    const char *path = NULL, *model_path = NULL;
    int threads = 1, runs = 21;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--model") && i + 1 < argc)
            model_path = argv[++i];
        else if (!strcmp(argv[i], "--threads") && i + 1 < argc)
            threads = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--runs") && i + 1 < argc)
            runs = atoi(argv[++i]);
        else if (argv[i][0] != '-' && !path)
            path = argv[i];
        else
            path = NULL, i = argc;
    }
    if (!path || runs < 1) {
        fprintf(stderr, "usage: bench_core PICTURE [--model FILE.data] [--threads N] [--runs N]\n");
        return 2;
    }

    struct picture picture;
    struct message message;
    mtcnn_model *model = NULL;
    mtcnn_error error;
    if (picture_read(&picture, path, &message)) {
        fprintf(stderr, "bench_core: %s: %s\n", path, message.text);
        return 1;
    }
    if (mtcnn_model_load(&model, model_path, &error)) {
        fprintf(stderr, "bench_core: %s\n", error.message);
        return 1;
    }

    char line[256];
    printf("mtcnn %s, %s kernels, %s, picture %s, %d runs; milliseconds are medians\n",
           mtcnn_version(), mt_kernels_get()->name, cpu_name(line, sizeof line), path, runs);
    printf("one core at most, GFLOP/s: multiply-adds in registers");
    for (int lanes = 16; lanes >= 4; lanes /= 2)
        if (peak_multiply_add(lanes) > 0.0)
            printf(", %d bits %.0f", 32 * lanes, peak_multiply_add(lanes));
    printf("; sgemm of 1024x1024 %.0f\n", peak_sgemm());
    printf("   pixels  min  threads   rnet  onet  faces  pyramid     pnet     rnet     onet"
           "    total  minimum   MiB  GFLOP/s: pnet, rnet, onet\n");
    const int sizes[][2] = {{640, 480}, {1024, 768}, {1920, 1080}};
    int status = 0;
    for (int i = 0; i < 3 && !status; i++) {
        const int width = sizes[i][0], height = sizes[i][1];
        uint8_t *pixels = cover(&picture, width, height);
        const mtcnn_image image = {pixels, width, height, 3 * (ptrdiff_t)width, MTCNN_RGB};
        for (int min_face = 20; min_face <= 40 && !status; min_face += 20)
            status = run(model, &image, min_face, threads, runs);
        free(pixels);
    }
    mtcnn_model_free(&model);
    picture_free(&picture);
    return status != 0;
}
