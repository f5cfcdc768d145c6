#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "utf8.h"

static const char *const stage_names[3] = {"pnet", "rnet", "onet"};

/* ---- text ------------------------------------------------------------------------------------- */

static void print_text_face(const mtcnn_face *face)
{
    printf("\t%.2f %.2f %.2f %.2f %.4f", (double)face->box[0], (double)face->box[1],
           (double)face->box[2], (double)face->box[3], (double)face->score);
    for (int i = 0; i < 10; i++)
        printf(" %.2f", (double)face->landmarks[i]);
    putchar('\n');
}

static void print_text(const char *path, const mtcnn_result *result)
{
    for (int i = 0; i < result->count; i++) {
        fputs(path, stdout);
        print_text_face(&result->faces[i]);
    }
}

static void print_text_frame(const struct frame_faces *frame)
{
    for (int i = 0; i < frame->count; i++) {
        printf("%s\t%ld\t%.3f", frame->video, frame->number, frame->seconds);
        if (frame->ids)
            printf("\t%" PRIu32, frame->ids[i]);
        print_text_face(&frame->faces[i]);
    }
}

/* ---- JSON (RFC 8259) -------------------------------------------------------------------------- */

/* Bytes that are not UTF-8, which JSON cannot hold, become the replacement character. */
static void print_json_string(const char *text)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    putchar('"');
    while (*text) {
        unsigned char byte = (unsigned char)*text;
        const char *escape = strchr(escaped, *text);
        int length = utf8_length(text);
        if (escape)
            printf("\\%c", letters[escape - escaped]);
        else if (byte < 0x20)
            printf("\\u%04x", byte);
        else if (length)
            printf("%.*s", length, text);
        else
            fputs("\\ufffd", stdout);
        text += length ? length : 1;
    }
    putchar('"');
}

static void print_json_face(const mtcnn_face *face, const uint32_t *id)
{
    putchar('{');
    if (id)
        printf("\"id\": %" PRIu32 ", ", *id);
    printf("\"box\": [%.3f, %.3f, %.3f, %.3f], \"score\": %.6f, \"landmarks\": [",
           (double)face->box[0], (double)face->box[1], (double)face->box[2], (double)face->box[3],
           (double)face->score);
    for (int i = 0; i < 5; i++)
        printf("%s[%.3f, %.3f]", i ? ", " : "", (double)face->landmarks[2 * i],
               (double)face->landmarks[2 * i + 1]);
    fputs("]}", stdout);
}

static void print_json_time(const mtcnn_result *result)
{
    printf(", \"levels\": %d, \"candidates\": {", result->levels);
    for (int i = 0; i < 3; i++)
        printf("%s\"%s\": [%d, %d]", i ? ", " : "", stage_names[i], result->stages[i].inputs,
               result->stages[i].count);
    printf("}, \"milliseconds\": {\"pyramid\": %.3f", result->pyramid_ms);
    for (int i = 0; i < 3; i++)
        printf(", \"%s\": %.3f", stage_names[i], result->stages[i].milliseconds);
    printf(", \"total\": %.3f}", result->total_ms);
}

/* The object from the size on. */
static void print_json_faces(int width, int height, const mtcnn_face *faces, const uint32_t *ids,
                             int count)
{
    printf(", \"width\": %d, \"height\": %d, \"faces\": [", width, height);
    for (int i = 0; i < count; i++) {
        if (i)
            fputs(", ", stdout);
        print_json_face(&faces[i], ids ? &ids[i] : NULL);
    }
    putchar(']');
}

static void print_json(const char *path, int width, int height, const mtcnn_result *result,
                       bool time)
{
    fputs("{\"image\": ", stdout);
    print_json_string(path);
    print_json_faces(width, height, result->faces, NULL, result->count);
    if (time)
        print_json_time(result);
    fputs("}\n", stdout);
}

static void print_json_frame(const struct frame_faces *frame, bool time)
{
    fputs("{\"video\": ", stdout);
    print_json_string(frame->video);
    printf(", \"frame\": %ld, \"seconds\": %.3f", frame->number, frame->seconds);
    print_json_faces(frame->width, frame->height, frame->faces, frame->ids, frame->count);
    if (time && frame->ids)
        printf(", \"milliseconds\": {\"total\": %.3f}", frame->total_ms);
    else if (time)
        print_json_time(&frame->result);
    fputs("}\n", stdout);
}

/* ---- CSV (RFC 4180, with LF for line ends) ---------------------------------------------------- */

static const char csv_header[] =
    "x1,y1,x2,y2,score,left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y,"
    "left_mouth_x,left_mouth_y,right_mouth_x,right_mouth_y\n";

static void print_csv_field(const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void print_csv_face(const mtcnn_face *face)
{
    for (int i = 0; i < 4; i++)
        printf(",%.3f", (double)face->box[i]);
    printf(",%.6f", (double)face->score);
    for (int i = 0; i < 10; i++)
        printf(",%.3f", (double)face->landmarks[i]);
    putchar('\n');
}

static void print_csv(const char *path, const mtcnn_result *result)
{
    for (int i = 0; i < result->count; i++) {
        print_csv_field(path);
        print_csv_face(&result->faces[i]);
    }
}

static void print_csv_frame(const struct frame_faces *frame)
{
    for (int i = 0; i < frame->count; i++) {
        print_csv_field(frame->video);
        printf(",%ld,%.3f", frame->number, frame->seconds);
        if (frame->ids)
            printf(",%" PRIu32, frame->ids[i]);
        print_csv_face(&frame->faces[i]);
    }
}

/* ---- stderr ----------------------------------------------------------------------------------- */

static void print_time(const char *path, const mtcnn_result *result)
{
    static const char *const units[3][2] = {
        {"cells", "boxes"}, {"crops", "boxes"}, {"crops", "faces"}};
    char levels[32];
    snprintf(levels, sizeof levels, "%d levels", result->levels);
    fprintf(stderr, "%s:\n  %-10s%-26s%8.2f ms\n", path, "pyramid", levels, result->pyramid_ms);
    for (int i = 0; i < 3; i++) {
        const mtcnn_stage *stage = &result->stages[i];
        char inputs[32];
        snprintf(inputs, sizeof inputs, "%d %s", stage->inputs, units[i][0]);
        fprintf(stderr, "  %-10s%-12s -> %4d %s %7.2f ms\n", stage_names[i], inputs, stage->count,
                units[i][1], stage->milliseconds);
    }
    fprintf(stderr, "  %-36s%8.2f ms\n", "total", result->total_ms);
}

/* ---- the order of it -------------------------------------------------------------------------- */

/* Hands everything to stdout's reader now, and keeps the cause of a failure while it is known. */
static void flush(struct output *output)
{
    if (fflush(stdout) && !output->failed)
        output->failed = errno;
}

void output_begin(struct output *output, enum output_format format, bool time)
{
    *output = (struct output){.format = format, .time = time};
    output->summary = format == OUTPUT_TEXT && isatty(STDERR_FILENO);
    if (format == OUTPUT_CSV)
        printf("image,%s", csv_header);
    flush(output);
}

void output_picture(struct output *output, const char *path, int width, int height,
                    const mtcnn_result *result)
{
    switch (output->format) {
    case OUTPUT_TEXT: print_text(path, result); break;
    case OUTPUT_JSON: print_json(path, width, height, result, output->time); break;
    case OUTPUT_CSV: print_csv(path, result); break;
    }
    flush(output);
    if (output->summary)
        fprintf(stderr, "%s: %d face%s\n", path, result->count, result->count == 1 ? "" : "s");
    if (output->time && output->format != OUTPUT_JSON)
        print_time(path, result);
}

void output_begin_video(struct output *output, enum output_format format, bool time, bool ids)
{
    *output = (struct output){.format = format, .time = time};
    if (format == OUTPUT_CSV)
        printf("video,frame,seconds,%s%s", ids ? "id," : "", csv_header);
    flush(output);
}

void output_frame(struct output *output, const struct frame_faces *frame)
{
    switch (output->format) {
    case OUTPUT_TEXT: print_text_frame(frame); break;
    case OUTPUT_JSON: print_json_frame(frame, output->time); break;
    case OUTPUT_CSV: print_csv_frame(frame); break;
    }
    flush(output);
}

int output_end(struct output *output)
{
    flush(output);
    if (ferror(stdout) && !output->failed)
        output->failed = EIO;
    if (fclose(stdout) && !output->failed)
        output->failed = errno;
    if (!output->failed)
        return 0;
    struct message message;
    message_set(&message, "cannot be written: %s", strerror(output->failed));
    message_print("standard output", message.text);
    return -1;
}
