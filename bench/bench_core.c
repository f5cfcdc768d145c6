/*
 * bench_core: milliseconds of the C core, stage by stage, on decoded pixels.
 *
 *     bench_core PICTURE [--sizes WxH,...] [--min-faces PX,...] [--threads N] [--runs N]
 *                [--model FILE.data]
 *
 * The picture is scaled to cover each size (its middle is kept), and faces from each least size are
 * looked for, with the model's other settings. Each time is the median over the runs, then the
 * minimum of the whole; one run before them is not counted. The scratch memory is the detector's,
 * which only grows: its peak.
 *
 * GFLOP/s count the networks' own multiplications and additions (no padding), over the stage's
 * whole time: RNet's and ONet's hold resizing and suppression, too. They come with their share of
 * what the same number of threads could do at most, of which one is measured first: multiply-adds
 * in registers with vectors as wide as the kernels', and OpenBLAS's product of large matrices. A
 * share may be above 100%: Winograd's convolutions take fewer multiplications than are counted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "peak.h"
#include "picture_file.h"
#include "resize.h"

enum { PYRAMID, PNET, RNET, ONET, TOTAL, TIMES };
enum { MAX_SIZES = 32, MIN_SIDE = 12, MAX_MEGAPIXELS = 100, EXIT_USAGE = 2 };

static const char usage[] =
    "usage: bench_core PICTURE [--sizes WxH,...] [--min-faces PX,...] [--threads N] [--runs N]\n"
    "                  [--model FILE.data]\n";

struct arguments {
    const char *picture, *model; /* model NULL: the one built in */
    int sizes[MAX_SIZES][2];     /* [size_count], width and height */
    int size_count;
    double min_faces[MAX_SIZES];
    int min_face_count;
    int threads, runs;
};

/* One row of both tables. */
struct row {
    int width, height;
    double min_face;
    double gflops[MT_STAGES];
};

/* ---- the work -------------------------------------------------------------------------------- */

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
static uint8_t *cover(const struct picture *picture, const mt_kernels *kernels, int width,
                      int height)
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
    if (!planes || !bytes || !mt_resize_begin(&resizer, kernels, &image, x, y, &plain) ||
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

/* Times one size and prints its row of the first table; fills in row. */
static int run(const mtcnn_model *model, const mtcnn_image *image, double min_face,
               const struct arguments *arguments, struct row *row)
{
    const int runs = arguments->runs;
    mtcnn_options options;
    mtcnn_model_options(model, &options);
    options.min_face = min_face;
    options.threads = arguments->threads;
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
        *row = (struct row){image->width, image->height, min_face, {0}};
        printf("%4dx%-4d  %4g  %5d  %5d  %5d", image->width, image->height, min_face,
               result.stages[1].inputs, result.stages[2].inputs, result.count);
        double medians[TIMES];
        for (int t = 0; t < TIMES; t++)
            printf("  %7.2f", medians[t] = median(times[t], runs));
        printf("  %7.2f  %11.2f\n", times[TOTAL][0],
               (double)mtcnn_detector_memory(detector) / (1 << 20));
        fflush(stdout);
        row->gflops[MT_PNET] = 1e-6 * pyramid_operations(model, image, &options) / medians[PNET];
        for (int s = MT_RNET; s < MT_STAGES; s++) {
            const mtcnn_network *network = model->networks[s];
            row->gflops[s] = 1e-6 * result.stages[s].inputs *
                             operations(network, network->input.height, network->input.width) /
                             medians[PNET + s];
        }
    }
    mtcnn_detector_free(&detector);
    for (int t = 0; t < TIMES; t++)
        free(times[t]);
    return status;
}

/* ---- the report ------------------------------------------------------------------------------ */

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

/* Where `most` is not known, no share. */
static void print_share(double gflops, double most)
{
    if (most > 0.0)
        printf("  %3.0f%%", 100.0 * gflops / most);
    else
        printf("     -");
}

static void print_shares(const struct row *rows, int count, int threads, double registers,
                         double sgemm)
{
    printf("\nGFLOP/s, and their share of %d x multiply-adds in registers and of %d x sgemm\n",
           threads, threads);
    printf("   pixels   min          pnet                rnet                onet\n");
    for (int i = 0; i < count; i++) {
        printf("%4dx%-4d  %4g", rows[i].width, rows[i].height, rows[i].min_face);
        for (int s = 0; s < MT_STAGES; s++) {
            printf("  %6.1f", rows[i].gflops[s]);
            print_share(rows[i].gflops[s], threads * registers);
            print_share(rows[i].gflops[s], threads * sgemm);
        }
        printf("\n");
    }
}

static int report(const struct arguments *arguments, const struct picture *picture,
                  const mtcnn_model *model)
{
    static struct row rows[MAX_SIZES * MAX_SIZES];
    char line[256];
    const mt_kernels *kernels = model->kernels;
    printf("mtcnn %s, %s kernels, %s, picture %s, threads %d, runs %d\n", mtcnn_version(),
           kernels->name, cpu_name(line, sizeof line), arguments->picture, arguments->threads,
           arguments->runs);
    printf("one core at most, GFLOP/s: multiply-adds in registers");
    double registers = 0.0;
    for (int lanes = 16; lanes >= 4; lanes /= 2) {
        const double peak = peak_multiply_add(lanes);
        if (peak > 0.0)
            printf(", %d bits %.0f", 32 * lanes, peak);
        if (lanes == kernels->vector)
            registers = peak;
    }
    const double sgemm = peak_sgemm();
    printf("; sgemm of 1024x1024 %.0f\n\n", sgemm);
    printf("medians, milliseconds\n   pixels   min   rnet   onet  faces"
           "  pyramid     pnet     rnet     onet    total  minimum  scratch MiB\n");
    int count = 0, status = 0;
    for (int i = 0; i < arguments->size_count && !status; i++) {
        const int width = arguments->sizes[i][0], height = arguments->sizes[i][1];
        uint8_t *pixels = cover(picture, kernels, width, height);
        const mtcnn_image image = {pixels, width, height, 3 * (ptrdiff_t)width, MTCNN_RGB};
        for (int j = 0; j < arguments->min_face_count && !status; j++, count++)
            status = run(model, &image, arguments->min_faces[j], arguments, &rows[count]);
        free(pixels);
    }
    if (!status)
        print_shares(rows, count, arguments->threads, registers, sgemm);
    return status;
}

/* ---- the command line ------------------------------------------------------------------------ */

/* Each reads an option's value; false where it is not what is said beside it. */

static bool read_whole(const char *text, int low, int high, int *value, char **end)
{
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    const long number = strtol(text, end, 10);
    *value = (int)number;
    return !errno && number >= low && number <= high;
}

static bool read_count(const char *text, int high, int *value)
{
    char *end;
    return read_whole(text, 1, high, value, &end) && !*end;
}

static bool read_sizes(const char *text, struct arguments *arguments)
{
    for (arguments->size_count = 0; arguments->size_count < MAX_SIZES;) {
        int *size = arguments->sizes[arguments->size_count++];
        char *end;
        if (!read_whole(text, MIN_SIDE, MTCNN_MAX_SIDE, &size[0], &end) || *end != 'x' ||
            !read_whole(end + 1, MIN_SIDE, MTCNN_MAX_SIDE, &size[1], &end) ||
            size[0] > MAX_MEGAPIXELS * 1000000 / size[1] || (*end && *end != ','))
            return false;
        if (!*end)
            return true;
        text = end + 1;
    }
    return false;
}

static bool read_min_faces(const char *text, struct arguments *arguments)
{
    for (arguments->min_face_count = 0; arguments->min_face_count < MAX_SIZES;) {
        double *value = &arguments->min_faces[arguments->min_face_count++];
        char *end;
        *value = strtod(text, &end);
        if (end == text || !(*value >= 1.0 && *value <= MTCNN_MAX_SIDE) || (*end && *end != ','))
            return false;
        if (!*end)
            return true;
        text = end + 1;
    }
    return false;
}

/* Says what is wrong; the program ends with this status. */
static int refuse(const char *word, const char *problem)
{
    fprintf(stderr, "bench_core: %s: %s\n%s", word, problem, usage);
    return EXIT_USAGE;
}

static int read_arguments(struct arguments *arguments, int argc, char **argv)
{
    *arguments = (struct arguments){.threads = 1, .runs = 21};
    read_sizes("640x480,1024x768,1920x1080", arguments);
    read_min_faces("20,40", arguments);
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (name[0] != '-') {
            if (arguments->picture)
                return refuse(name, "only one picture can be timed");
            arguments->picture = name;
            continue;
        }
        if (!strcmp(name, "--model")) {
            if (!*(arguments->model = value))
                return refuse(name, "needs the path of a .data file");
        } else if (!strcmp(name, "--sizes")) {
            if (!read_sizes(value, arguments))
                return refuse(name, "needs sizes of at least 12x12 and at most 400 megapixels, "
                                    "such as 640x480,1920x1080; 32 at most");
        } else if (!strcmp(name, "--min-faces")) {
            if (!read_min_faces(value, arguments))
                return refuse(name, "needs numbers of pixels from 1 to 1000000, such as 20,40; "
                                    "32 at most");
        } else if (!strcmp(name, "--threads")) {
            if (!read_count(value, MTCNN_MAX_THREADS, &arguments->threads))
                return refuse(name, "needs a whole number, 1 to 256");
        } else if (!strcmp(name, "--runs")) {
            if (!read_count(value, 100000, &arguments->runs))
                return refuse(name, "needs a whole number, 1 to 100000");
        } else {
            return refuse(name, "no such option");
        }
        i++;
    }
    return arguments->picture ? 0 : refuse("PICTURE", "is missing");
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct picture picture;
    struct message message;
    mtcnn_model *model = NULL;
    mtcnn_error error;
    if (read_arguments(&arguments, argc, argv))
        return EXIT_USAGE;
    if (picture_read(&picture, arguments.picture, MAX_MEGAPIXELS, &message)) {
        fprintf(stderr, "bench_core: %s: %s\n", arguments.picture, message.text);
        return EXIT_FAILURE;
    }
    int status = mtcnn_model_load(&model, arguments.model, &error);
    if (status)
        fprintf(stderr, "bench_core: %s\n", error.message);
    else
        status = report(&arguments, &picture, model);
    mtcnn_model_free(&model);
    picture_free(&picture);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
