#include "pictures.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crops.h"
#include "destination.h"
#include "folder.h"
#include "message.h"
#include "output.h"
#include "picture_file.h"
#include "predictions.h"
#include "progress.h"
#include "standard_output.h"

/* What a picture's work leaves to be printed, once those before it have been. */
struct record {
    char *out, *errors; /* for stdout and stderr */
    size_t out_size, errors_size;
    int faces;
    bool failed, done;
};

/* What all threads share. The lock guards what changes. */
struct run {
    const struct arguments *arguments;
    const struct inputs *inputs;
    struct destination destination;
    bool summaries; /* print the number of faces on stderr, which is a terminal */

    pthread_mutex_t lock;
    struct record *records; /* [inputs->count] */
    int next;               /* the first input that no thread has taken */
    int printed;            /* inputs whose records were */
    struct progress progress;
    int status; /* the program's */
};

struct worker {
    struct run *run;
    mtcnn_detector *detector;
    pthread_t thread;
};

/* ---- one picture ----------------------------------------------------------------------------- */

/* The files that the command line asks for. target: of the annotated copy, or NULL. */
static int write_files(const struct run *run, const struct input *input, struct picture *picture,
                       const mtcnn_findings *found, const char *target, FILE *errors)
{
    const struct arguments *arguments = run->arguments;
    int failed = 0;
    if (arguments->wider)
        failed |= predictions_write(arguments->wider, input, found, errors);
    if (arguments->crops) {
        const mtcnn_result *result = found->result; /* ONet alone of all stages has landmarks */
        failed |= crops_write(arguments->crops, run->inputs, input, picture,
                              found->stage ? result->stages[2].faces : result->faces,
                              mtcnn_findings_count(found), arguments->crop_size, errors);
    }
    if (target) {
        struct message message;
        mtcnn_draw(picture->pixels, (ptrdiff_t)3 * picture->width, found, NULL, NULL);
        if (picture_write(picture, target, &message)) {
            message_write(errors, target, message.text);
            failed = -1;
        }
    }
    return failed;
}

/* Returns the number of faces; -1: failed. */
static int detect(const struct run *run, mtcnn_detector *detector, const struct input *input,
                  struct picture *picture, const char *target, FILE *out, FILE *errors)
{
    const struct arguments *arguments = run->arguments;
    const mtcnn_image image = {picture->pixels, picture->width, picture->height,
                               (ptrdiff_t)3 * picture->width, MTCNN_RGB};
    mtcnn_result result;
    mtcnn_error error;
    if (mtcnn_detect(detector, &image, &result, &error)) {
        message_write(errors, inputs_title(input), error.message);
        return -1;
    }
    const mtcnn_findings found = {.source = input->path,
                                  .width = picture->width,
                                  .height = picture->height,
                                  .result = &result,
                                  .stage = arguments->stage + 1,
                                  .timed = arguments->time};
    int failed = output_write(out, arguments->format, &found);
    if (run->summaries)
        failed |= output_write(errors, MTCNN_FORM_SUMMARY, &found);
    if (arguments->time && arguments->format != MTCNN_FORM_JSON)
        failed |= output_write(errors, MTCNN_FORM_TIMES, &found);
    if (failed)
        message_write(errors, inputs_title(input), "no memory for what is to be printed");
    failed |= write_files(run, input, picture, &found, target, errors);
    return failed ? -1 : mtcnn_findings_count(&found);
}

/* As detect. */
static int process(const struct run *run, mtcnn_detector *detector, const struct input *input,
                   FILE *out, FILE *errors)
{
    struct picture picture;
    struct message message;
    if (picture_read(&picture, input->path, run->arguments->max_pixels, &message)) {
        message_write(errors, inputs_title(input), message.text);
        return -1;
    }
    if (message.text[0])
        message_write(errors, inputs_title(input), message.text);

    int faces = -1;
    char *target = NULL;
    if (run->destination.path && !(target = destination_of(&run->destination, input, &message)))
        message_write(errors, inputs_title(input), message.text);
    else
        faces = detect(run, detector, input, &picture, target, out, errors);
    free(target);
    picture_free(&picture);
    return faces;
}

static void fill_record(const struct run *run, mtcnn_detector *detector, const struct input *input,
                        struct record *record)
{
    FILE *out = open_memstream(&record->out, &record->out_size);
    FILE *errors = open_memstream(&record->errors, &record->errors_size);
    int faces = -1;
    if (out && errors)
        faces = process(run, detector, input, out, errors);
    const bool no_memory = (out ? fclose(out) : -1) | (errors ? fclose(errors) : -1);
    if (no_memory)
        message_print(inputs_title(input), "no memory for what is to be printed");
    record->failed = faces < 0 || no_memory;
    record->faces = faces < 0 ? 0 : faces;
}

/* ---- all pictures ---------------------------------------------------------------------------- */

/* Prints the records that are due. Returns -1 where stdout does not take them. */
static int print_records(struct run *run)
{
    int failed = 0;
    for (; run->printed < run->inputs->count && !failed; run->printed++) {
        struct record *record = &run->records[run->printed];
        if (!record->done)
            break;
        if (record->out_size || record->errors_size)
            progress_clear(&run->progress);
        if (record->out)
            failed = standard_output_write(record->out, record->out_size);
        if (record->errors)
            fwrite(record->errors, 1, record->errors_size, stderr);
        if (record->failed || failed)
            run->status = EXIT_FAILURE;
        progress_step(&run->progress, record->faces);
        free(record->out);
        free(record->errors);
        record->out = record->errors = NULL;
    }
    return failed;
}

/* A thread's work: one picture after the other, as long as there are some. */
static void *work(void *context)
{
    const struct worker *worker = context;
    struct run *run = worker->run;
    pthread_mutex_lock(&run->lock);
    while (run->next < run->inputs->count) {
        const int index = run->next++;
        pthread_mutex_unlock(&run->lock);
        fill_record(run, worker->detector, &run->inputs->items[index], &run->records[index]);
        pthread_mutex_lock(&run->lock);
        run->records[index].done = true;
        if (print_records(run))
            run->next = run->inputs->count; /* stdout takes no more */
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

/* Runs the workers, the first on this thread. -1: the others' threads cannot be made. */
static int run_workers(struct worker *workers, int count)
{
    int started = 1, cause = 0;
    while (started < count &&
           !(cause = pthread_create(&workers[started].thread, NULL, work, &workers[started])))
        started++;
    if (!cause)
        work(&workers[0]);
    else
        workers[0].run->next = workers[0].run->inputs->count;
    for (int i = 1; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    if (cause) {
        struct message message;
        message_set(&message, "%d threads cannot be made: %s; give fewer --jobs", count,
                    strerror(cause));
        message_print(NULL, message.text);
    }
    return cause ? -1 : 0;
}

static int run_all(struct run *run, const mtcnn_model *model)
{
    const struct arguments *arguments = run->arguments;
    const int jobs = arguments->jobs < run->inputs->count ? arguments->jobs : run->inputs->count;
    mtcnn_options options;
    mtcnn_error error;
    mtcnn_model_options(model, &options);
    arguments_apply(arguments, MTCNN_OF_DETECTOR, &options);
    struct worker *workers = calloc((size_t)jobs, sizeof *workers);
    run->records = calloc((size_t)run->inputs->count, sizeof *run->records);
    int failed = 0;
    if (!workers || !run->records) {
        message_print(NULL, "no memory for the list of pictures");
        failed = -1;
    }
    for (int i = 0; i < jobs && !failed; i++) {
        workers[i].run = run;
        failed = mtcnn_detector_create(&workers[i].detector, model, &options, &error);
        if (failed)
            message_print(NULL, error.message);
    }
    if (!failed) {
        if (arguments->format == MTCNN_FORM_CSV)
            fputs(mtcnn_csv_header(false, false), stdout);
        progress_begin(&run->progress, "pictures", run->inputs->count);
        run->summaries = arguments->format == MTCNN_FORM_TEXT && run->inputs->count == 1 &&
                         isatty(STDERR_FILENO);
        failed = standard_output_write("", 0) || run_workers(workers, jobs);
        progress_end(&run->progress);
    }
    for (int i = 0; i < jobs && workers; i++)
        mtcnn_detector_free(&workers[i].detector);
    for (int i = 0; i < run->inputs->count && run->records; i++) {
        free(run->records[i].out);
        free(run->records[i].errors);
    }
    free(workers);
    free(run->records);
    return failed ? EXIT_FAILURE : run->status;
}

/* ---- before the first picture ---------------------------------------------------------------- */

/* Whether the command line's files can serve for these inputs: 0, or -1, which is reported. */
static int plan_files(struct run *run)
{
    const struct arguments *arguments = run->arguments;
    struct message message;
    const char *path = NULL;
    if (destination_plan(&run->destination, arguments->out, run->inputs, &message))
        path = arguments->out;
    else if (arguments->crops && crops_plan(run->inputs, &message))
        path = arguments->crops;
    else if (arguments->wider && predictions_plan(run->inputs, &message))
        path = arguments->wider;
    if (path)
        message_print(path, message.text);
    return path ? -1 : 0;
}

static int make_folders(const struct run *run)
{
    const char *const folders[] = {run->destination.folder ? run->destination.path : NULL,
                                   run->arguments->crops, run->arguments->wider};
    for (int i = 0; i < 3; i++) {
        if (!folders[i] || !folder_make(folders[i]))
            continue;
        struct message message;
        message_set(&message, "the folder cannot be made: %s", strerror(errno));
        message_print(folders[i], message.text);
        return -1;
    }
    return 0;
}

int pictures_run(const struct arguments *arguments, const struct inputs *inputs,
                 const mtcnn_model *model)
{
    struct run run = {.arguments = arguments, .inputs = inputs, .status = EXIT_SUCCESS};
    if (plan_files(&run))
        return EXIT_USAGE;
    if (make_folders(&run))
        return EXIT_FAILURE;
    pthread_mutex_init(&run.lock, NULL);
    int status = run_all(&run, model);
    pthread_mutex_destroy(&run.lock);
    if (standard_output_close())
        status = EXIT_FAILURE;
    return status;
}
