/* main.c: the mtcnn program: finds the faces of the pictures on its command line. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "destination.h"
#include "draw.h"
#include "find_model.h"
#include "message.h"
#include "mtcnn.h"
#include "output.h"
#include "picture.h"
#include "video_run.h"

enum { EXIT_USAGE = 2 };

/* What stays the same from picture to picture. */
struct run {
    mtcnn_detector *detector;
    struct destination destination;
    struct output output;
};

static int annotate(struct picture *picture, const mtcnn_result *result, const char *target)
{
    struct message message;
    draw_faces(picture, result->faces, NULL, result->count);
    if (picture_write(picture, target, &message)) {
        message_print(target, message.text);
        return -1;
    }
    return 0;
}

/* Detects, prints, and saves the annotated picture as target (NULL: does not). */
static int detect(struct run *run, const char *path, struct picture *picture, const char *target)
{
    mtcnn_image image = {picture->pixels, picture->width, picture->height,
                         (ptrdiff_t)3 * picture->width, MTCNN_RGB};
    mtcnn_result result;
    mtcnn_error error;
    if (mtcnn_detect(run->detector, &image, &result, &error)) {
        message_print(path, error.message);
        return -1;
    }
    output_picture(&run->output, path, picture->width, picture->height, &result);
    return target ? annotate(picture, &result, target) : 0;
}

static int process(struct run *run, const char *path)
{
    struct picture picture;
    struct message message;
    if (picture_read(&picture, path, &message)) {
        message_print(path, message.text);
        return -1;
    }
    if (message.text[0])
        message_print(path, message.text);

    int failed = 0;
    char *target = NULL;
    if (run->destination.path) {
        target = destination_of(&run->destination, path, &message);
        if (!target) {
            message_print(path, message.text);
            failed = -1;
        }
    }
    if (!failed)
        failed = detect(run, path, &picture, target);
    free(target);
    picture_free(&picture);
    return failed;
}

static int process_all(struct run *run, const struct arguments *arguments)
{
    int status = EXIT_SUCCESS;
    output_begin(&run->output, arguments->format, arguments->time);
    for (int i = 0; i < arguments->picture_count; i++)
        if (process(run, arguments->pictures[i]))
            status = EXIT_FAILURE;
    if (output_end(&run->output))
        status = EXIT_FAILURE;
    return status;
}

static int run_detection(const struct arguments *arguments)
{
    struct run run = {0};
    struct message message;
    const bool video = arguments->video || arguments->camera >= 0;
    if (video ? video_plan(arguments, &message)
              : destination_plan(&run.destination, arguments->out, arguments->pictures,
                                 arguments->picture_count, &message)) {
        message_print(arguments->out, message.text);
        return EXIT_USAGE;
    }

    mtcnn_model *model = NULL;
    mtcnn_error error;
    int status = EXIT_FAILURE;
    if (find_model(&model, arguments->model, &error)) {
        message_print(NULL, error.message);
        return status;
    }
    mtcnn_options options;
    mtcnn_model_options(model, &options);
    arguments_apply(arguments, &options);
    if (mtcnn_detector_create(&run.detector, model, &options, &error))
        message_print(NULL, error.message);
    else if (destination_make(&run.destination, &message))
        message_print(arguments->out, message.text);
    else
        status = video ? video_run(arguments, run.detector) : process_all(&run, arguments);
    mtcnn_detector_free(&run.detector);
    mtcnn_model_free(&model);
    return status;
}

/* A help that cannot be written must not exit with 0 either. */
static int close_output(void)
{
    struct output output = {0};
    return output_end(&output) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int print_help(void)
{
    static char buffer[1 << 14]; /* of all: a failure's cause is known when it is flushed */
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    mtcnn_model *model = NULL;
    mtcnn_options options;
    bool known = find_model(&model, NULL, NULL) == MTCNN_OK;
    if (known)
        mtcnn_model_options(model, &options);
    mtcnn_model_free(&model);
    arguments_help(stdout, known ? &options : NULL);
    return close_output();
}

static int print_version(void)
{
    printf("mtcnn %s\n", mtcnn_version());
    return close_output();
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    switch (arguments_read(&arguments, argc, argv)) {
    case WISH_DETECT: return run_detection(&arguments);
    case WISH_HELP: return print_help();
    case WISH_VERSION: return print_version();
    case WISH_NOTHING: break;
    }
    return EXIT_USAGE;
}
