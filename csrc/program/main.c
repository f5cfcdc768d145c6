/* main.c: the mtcnn program: finds the faces of the pictures on its command line. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "find_model.h"
#include "help.h"
#include "inputs.h"
#include "message.h"
#include "pictures.h"
#include "standard_output.h"
#include "video_run.h"

/* Finds the model, and prints what is odd in its files. */
static int load_model(mtcnn_model **model, const char *path, mtcnn_error *error)
{
    const int status = find_model(model, path, error);
    if (status)
        return status;
    const char *warning = mtcnn_model_warnings(*model);
    for (size_t length; (length = strcspn(warning, "\n")); warning += length + 1) {
        struct message message;
        message_set(&message, "%.*s", (int)length, warning);
        message_print(NULL, message.text);
    }
    return MTCNN_OK;
}

static int run_with_inputs(const struct arguments *arguments, const struct inputs *inputs)
{
    mtcnn_model *model = NULL;
    mtcnn_error error;
    if (!inputs->count)
        return EXIT_FAILURE;
    if (load_model(&model, arguments->model, &error)) {
        message_print(NULL, error.message);
        return EXIT_FAILURE;
    }
    const int status = pictures_run(arguments, inputs, model);
    mtcnn_model_free(&model);
    return status || !inputs->failed ? status : EXIT_FAILURE;
}

static int run_video(const struct arguments *arguments)
{
    struct message message;
    if (video_plan(arguments, &message)) {
        message_print(arguments->out, message.text);
        return EXIT_USAGE;
    }
    mtcnn_model *model = NULL;
    mtcnn_detector *detector = NULL;
    mtcnn_options options;
    mtcnn_error error;
    int status = EXIT_FAILURE;
    int failed = load_model(&model, arguments->model, &error);
    if (!failed) {
        mtcnn_model_options(model, &options);
        arguments_apply(arguments, MTCNN_OF_DETECTOR, &options);
        failed = mtcnn_detector_create(&detector, model, &options, &error);
    }
    if (failed)
        message_print(NULL, error.message);
    else
        status = video_run(arguments, detector);
    mtcnn_detector_free(&detector);
    mtcnn_model_free(&model);
    return status;
}

static int run(const struct arguments *arguments)
{
    if (arguments->video || arguments->camera >= 0)
        return run_video(arguments);
    struct inputs inputs;
    int status = EXIT_FAILURE;
    if (!inputs_find(&inputs, arguments->words, arguments->word_count))
        status = run_with_inputs(arguments, &inputs);
    if (inputs.passed_over && status != EXIT_USAGE)
        fputs(inputs.passed_over, stderr);
    inputs_free(&inputs);
    return status;
}

/* A help that cannot be written must not exit with 0 either. */
static int close_output(void)
{
    return standard_output_close() ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int print_help(void)
{
    mtcnn_model *model = NULL;
    mtcnn_options options;
    bool known = find_model(&model, NULL, NULL) == MTCNN_OK;
    if (known)
        mtcnn_model_options(model, &options);
    mtcnn_model_free(&model);

    char *text = NULL; /* written as one: it is longer than stdout's buffer */
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (stream)
        help_print(stream, known ? &options : NULL);
    if (!stream || fclose(stream))
        message_print(NULL, "no memory for the help");
    else
        standard_output_write(text, size);
    free(text);
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
    case WISH_DETECT: return run(&arguments);
    case WISH_HELP: return print_help();
    case WISH_VERSION: return print_version();
    case WISH_NOTHING: break;
    }
    return EXIT_USAGE;
}
