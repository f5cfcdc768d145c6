#include "video_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camera.h"
#include "file_identity.h"
#include "interrupt.h"
#include "output.h"
#include "progress.h"
#include "seconds.h"
#include "standard_output.h"
#include "video_reader.h"
#include "video_writer.h"

enum work { DECODE, SEARCH, WRITE, WORK_COUNT };

struct video_run {
    const struct arguments *arguments;
    struct video_source source;
    struct video_reader *reader;
    mtcnn_detector *detector;
    mtcnn_tracker *tracker;      /* NULL: not asked for */
    struct video_writer *writer; /* NULL: not asked for, not yet open, or failed */
    bool writing;                /* annotated frames are still wanted */
    int status;                  /* of the program so far */

    struct picture picture; /* the frame */
    mtcnn_findings found;   /* in the last frame that was searched */
    mtcnn_result result;    /* found's, where faces are not tracked */
    mtcnn_tracks tracks;    /* where they are */

    bool output_closed; /* stdout takes no more */

    /* for progress and summary */
    struct progress progress;
    long frames, searched, followed, faces;
    double start, work_start; /* seconds_now() of the beginning, of the step */
    double work[WORK_COUNT];  /* seconds */
};

/* The time since the step before goes to work. */
static void add_time(struct video_run *run, enum work work)
{
    double time = seconds_now();
    run->work[work] += time - run->work_start;
    run->work_start = time;
}

static void report(struct video_run *run, const char *subject, const char *text)
{
    progress_clear(&run->progress);
    message_print(subject, text);
    run->status = EXIT_FAILURE;
}

/* For the reader: says that it connects again. */
static void on_notice(void *opaque, const char *text)
{
    struct video_run *run = opaque;
    progress_clear(&run->progress);
    message_print(run->source.name, text);
}

/* ---- stderr ---------------------------------------------------------------------------------- */

static void print_summary(const struct video_run *run)
{
    static const char *const names[WORK_COUNT] = {"decode", "search", "print and write"};
    const double total = seconds_now() - run->start;
    message_write_name(stderr, run->source.name);
    fprintf(stderr, ":\n  %ld frames, %ld searched", run->frames, run->searched);
    if (run->tracker)
        fprintf(stderr, ", %ld followed", run->followed);
    fprintf(stderr, ", %ld faces\n", run->faces);
    if (!run->frames)
        return;
    for (int i = 0; i < WORK_COUNT; i++)
        fprintf(stderr, "  %-16s%8.2f ms a frame%7.1f%%\n", names[i],
                1e3 * run->work[i] / (double)run->frames, 1e2 * run->work[i] / total);
    fprintf(stderr, "  %-16s%8.2f s%10.1f frames a second\n", "total", total,
            (double)run->frames / total);
}

/* ---- one frame ------------------------------------------------------------------------------- */

/* Every frame is tracked; without a tracker, every N-th is searched. */
static bool is_searched(const struct video_run *run, long number)
{
    return run->tracker || number % run->arguments->every == 0;
}

static int search(struct video_run *run, struct message *message)
{
    const struct picture *picture = &run->picture;
    const mtcnn_image image = {picture->pixels, picture->width, picture->height,
                               (ptrdiff_t)3 * picture->width, MTCNN_RGB};
    mtcnn_error error;
    if (run->tracker ? mtcnn_track(run->tracker, &image, run->found.seconds, &run->tracks, &error)
                     : mtcnn_detect(run->detector, &image, &run->result, &error))
        return message_set(message, "%s", error.message);
    ++*(!run->tracker || run->tracks.scanned ? &run->searched : &run->followed);
    return 0;
}

/* Prints it as one, so that the cause is known where stdout does not take it. */
static int print_found(struct video_run *run, struct message *message)
{
    size_t length;
    char *text = output_text(run->arguments->format, &run->found, &length);
    if (!text)
        return message_set(message, "no memory for what is to be printed");
    run->output_closed = standard_output_write(text, length);
    free(text);
    return 0;
}

/* Completes the annotated video, or what there is of it. */
static void finish(struct video_run *run)
{
    struct message message;
    run->writing = false;
    if (video_writer_finish(&run->writer, &message))
        report(run, run->arguments->out, message.text);
}

/* Adds the frame to the annotated video; where that fails, what is found is still printed. */
static void annotate(struct video_run *run, double seconds)
{
    struct message message;
    const struct video_form form = {run->picture.width, run->picture.height,
                                    run->arguments->fps > 0 ? run->arguments->fps
                                                            : video_reader_rate(run->reader),
                                    run->arguments->threads};
    mtcnn_draw(run->picture.pixels, (ptrdiff_t)3 * run->picture.width, &run->found, NULL, NULL);
    if (!run->writer && video_writer_open(&run->writer, run->arguments->out, &form, &message)) {
        report(run, run->arguments->out, message.text);
        run->writing = false;
    } else if (video_writer_add(run->writer, &run->picture, seconds)) {
        finish(run);
    }
}

static int process(struct video_run *run, double seconds, struct message *message)
{
    const long number = run->frames++;
    const bool searched = is_searched(run, number);
    if ((searched || run->writing) && video_reader_picture(run->reader, &run->picture, message))
        return -1;
    run->found.width = run->picture.width;
    run->found.height = run->picture.height;
    add_time(run, DECODE);
    if (searched) {
        run->found.frame = number;
        run->found.seconds = seconds;
        if (search(run, message))
            return -1;
        run->faces += mtcnn_findings_count(&run->found);
        add_time(run, SEARCH);
        progress_clear(&run->progress);
        if (print_found(run, message))
            return -1;
    }
    if (run->writing)
        annotate(run, seconds);
    add_time(run, WRITE);
    return 0;
}

/* ---- the order of it ------------------------------------------------------------------------- */

static void process_all(struct video_run *run)
{
    struct message message;
    double seconds;
    int more;
    while ((more = video_reader_next(run->reader, &seconds, &message)) > 0) {
        if (run->arguments->fps > 0)
            seconds = (double)run->frames / run->arguments->fps;
        if (process(run, seconds, &message)) {
            more = -1;
            break;
        }
        progress_step(&run->progress,
                      is_searched(run, run->frames - 1) ? mtcnn_findings_count(&run->found) : 0);
        if (run->output_closed)
            break;
    }
    progress_end(&run->progress);
    if (more < 0)
        report(run, run->source.name, message.text);
    finish(run);
}

static int open_source(struct video_run *run, struct message *message)
{
    return (run->source.camera ? camera_exists(run->source.name, message) : 0) ||
                   video_reader_open(&run->reader, &run->source, message)
               ? -1
               : 0;
}

static int open_tracker(struct video_run *run, struct message *message)
{
    if (!run->arguments->track)
        return 0;
    mtcnn_tracker_options options;
    mtcnn_error error;
    mtcnn_tracker_defaults(&options);
    arguments_apply(run->arguments, MTCNN_OF_TRACKER, &options);
    if (mtcnn_tracker_create(&run->tracker, run->detector, &options, &error))
        return message_set(message, "%s", error.message);
    return 0;
}

int video_plan(const struct arguments *arguments, struct message *message)
{
    if (!arguments->out)
        return 0;
    if (video_writable(arguments->out, message))
        return -1;
    if (arguments->video && same_file(arguments->out, arguments->video))
        return message_set(message, "would overwrite the video itself; choose another --out");
    return 0;
}

int video_run(const struct arguments *arguments, mtcnn_detector *detector)
{
    char device[CAMERA_NAME_SIZE];
    camera_name(device, arguments->camera);
    struct video_run run = {
        .arguments = arguments,
        .source = {.name = arguments->video ? arguments->video : device,
                   .camera = !arguments->video,
                   .timeout = arguments->timeout,
                   .reconnect = arguments->reconnect,
                   .threads = arguments->threads,
                   .megapixels = arguments->max_pixels,
                   .notice = on_notice},
        .detector = detector,
        .writing = arguments->out,
        .status = EXIT_SUCCESS,
    };
    run.source.opaque = &run;
    struct message message;
    run.found = (mtcnn_findings){.source = run.source.name,
                                 .is_frame = true,
                                 .result = arguments->track ? NULL : &run.result,
                                 .stage = arguments->stage + 1,
                                 .tracks = arguments->track ? &run.tracks : NULL,
                                 .timed = arguments->time};
    interrupt_catch();
    if (arguments->format == MTCNN_FORM_CSV)
        fputs(mtcnn_csv_header(true, arguments->track), stdout);
    run.output_closed = standard_output_write("", 0);
    if (open_source(&run, &message) || open_tracker(&run, &message)) {
        if (!interrupt_caught())
            report(&run, run.source.name, message.text);
    } else {
        progress_begin(&run.progress, "frames", video_reader_count(run.reader));
        run.start = run.work_start = seconds_now();
        process_all(&run);
        if (arguments->time)
            print_summary(&run);
    }
    const int closed = standard_output_close();
    if (closed)
        run.status = EXIT_FAILURE;

    mtcnn_tracker_free(&run.tracker);
    video_reader_free(&run.reader);
    picture_free(&run.picture);
    if (closed == EPIPE)
        interrupt_pipe();
    return interrupt_caught() && run.status == EXIT_SUCCESS ? 128 + interrupt_caught() : run.status;
}
