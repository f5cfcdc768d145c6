#include "output.h"

#include <inttypes.h>
#include <string.h>

#include "message.h"
#include "utf8.h"

const char *const output_stage_names[3] = {"pnet", "rnet", "onet"};

bool output_has_landmarks(int stage)
{
    return stage == STAGE_FINAL || stage == 2;
}

void output_take(struct findings *findings, const mtcnn_result *result, int stage)
{
    findings->stage = stage;
    findings->faces = stage == STAGE_FINAL ? result->faces : result->stages[stage].faces;
    findings->count = stage == STAGE_FINAL ? result->count : result->stages[stage].count;
    findings->result = result;
}

/* ---- text ------------------------------------------------------------------------------------- */

static void print_text(FILE *stream, const struct findings *findings)
{
    const int landmarks = output_has_landmarks(findings->stage) ? 10 : 0;
    for (int i = 0; i < findings->count; i++) {
        const mtcnn_face *face = &findings->faces[i];
        fputs(findings->path, stream);
        if (findings->is_frame)
            fprintf(stream, "\t%ld\t%.3f", findings->frame, findings->seconds);
        if (findings->ids)
            fprintf(stream, "\t%" PRIu32, findings->ids[i]);
        fprintf(stream, "\t%.2f %.2f %.2f %.2f %.4f", (double)face->box[0], (double)face->box[1],
                (double)face->box[2], (double)face->box[3], (double)face->score);
        for (int j = 0; j < landmarks; j++)
            fprintf(stream, " %.2f", (double)face->landmarks[j]);
        fputc('\n', stream);
    }
}

/* ---- JSON (RFC 8259) -------------------------------------------------------------------------- */

/* Bytes that are not UTF-8, which JSON cannot hold, become the replacement character. */
static void print_json_string(FILE *stream, const char *text)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    fputc('"', stream);
    while (*text) {
        unsigned char byte = (unsigned char)*text;
        const char *escape = strchr(escaped, *text);
        int length = utf8_length(text);
        if (escape)
            fprintf(stream, "\\%c", letters[escape - escaped]);
        else if (byte < 0x20)
            fprintf(stream, "\\u%04x", byte);
        else if (length)
            fprintf(stream, "%.*s", length, text);
        else
            fputs("\\ufffd", stream);
        text += length ? length : 1;
    }
    fputc('"', stream);
}

static void print_json_face(FILE *stream, const mtcnn_face *face, const uint32_t *id,
                            bool landmarks)
{
    fputc('{', stream);
    if (id)
        fprintf(stream, "\"id\": %" PRIu32 ", ", *id);
    fprintf(stream, "\"box\": [%.3f, %.3f, %.3f, %.3f], \"score\": %.6f", (double)face->box[0],
            (double)face->box[1], (double)face->box[2], (double)face->box[3], (double)face->score);
    for (int i = 0; i < 5 && landmarks; i++)
        fprintf(stream, "%s[%.3f, %.3f]", i ? ", " : ", \"landmarks\": [",
                (double)face->landmarks[2 * i], (double)face->landmarks[2 * i + 1]);
    fputs(landmarks ? "]}" : "}", stream);
}

static void print_json_time(FILE *stream, const mtcnn_result *result)
{
    fprintf(stream, ", \"levels\": %d, \"candidates\": {", result->levels);
    for (int i = 0; i < 3; i++)
        fprintf(stream, "%s\"%s\": [%d, %d]", i ? ", " : "", output_stage_names[i],
                result->stages[i].inputs, result->stages[i].count);
    fprintf(stream, "}, \"milliseconds\": {\"pyramid\": %.3f", result->pyramid_ms);
    for (int i = 0; i < 3; i++)
        fprintf(stream, ", \"%s\": %.3f", output_stage_names[i], result->stages[i].milliseconds);
    fprintf(stream, ", \"total\": %.3f}", result->total_ms);
}

static void print_json(FILE *stream, const struct findings *findings, bool time)
{
    fputs(findings->is_frame ? "{\"video\": " : "{\"image\": ", stream);
    print_json_string(stream, findings->path);
    if (findings->is_frame)
        fprintf(stream, ", \"frame\": %ld, \"seconds\": %.3f", findings->frame, findings->seconds);
    fprintf(stream, ", \"width\": %d, \"height\": %d", findings->width, findings->height);
    if (findings->stage != STAGE_FINAL)
        fprintf(stream, ", \"stage\": \"%s\"", output_stage_names[findings->stage]);
    fputs(", \"faces\": [", stream);
    for (int i = 0; i < findings->count; i++) {
        if (i)
            fputs(", ", stream);
        print_json_face(stream, &findings->faces[i], findings->ids ? &findings->ids[i] : NULL,
                        output_has_landmarks(findings->stage));
    }
    fputc(']', stream);
    if (time && findings->result)
        print_json_time(stream, findings->result);
    else if (time)
        fprintf(stream, ", \"milliseconds\": {\"total\": %.3f}", findings->total_ms);
    fputs("}\n", stream);
}

/* ---- CSV (RFC 4180, with LF for line ends) ---------------------------------------------------- */

static const char csv_header[] =
    "x1,y1,x2,y2,score,left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y,"
    "left_mouth_x,left_mouth_y,right_mouth_x,right_mouth_y\n";

static void print_csv_field(FILE *stream, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

static void print_csv(FILE *stream, const struct findings *findings)
{
    for (int i = 0; i < findings->count; i++) {
        const mtcnn_face *face = &findings->faces[i];
        print_csv_field(stream, findings->path);
        if (findings->is_frame)
            fprintf(stream, ",%ld,%.3f", findings->frame, findings->seconds);
        if (findings->ids)
            fprintf(stream, ",%" PRIu32, findings->ids[i]);
        for (int j = 0; j < 4; j++)
            fprintf(stream, ",%.3f", (double)face->box[j]);
        fprintf(stream, ",%.6f", (double)face->score);
        for (int j = 0; j < 10; j++) {
            if (output_has_landmarks(findings->stage))
                fprintf(stream, ",%.3f", (double)face->landmarks[j]);
            else
                fputc(',', stream);
        }
        fputc('\n', stream);
    }
}

/* ---- times ------------------------------------------------------------------------------------ */

void output_time(FILE *stream, const struct findings *findings)
{
    const mtcnn_result *result = findings->result;
    static const char *const units[3][2] = {
        {"cells", "boxes"}, {"crops", "boxes"}, {"crops", "faces"}};
    char levels[32];
    snprintf(levels, sizeof levels, "%d levels", result->levels);
    message_write_name(stream, findings->path);
    fprintf(stream, ":\n  %-10s%-26s%8.2f ms\n", "pyramid", levels, result->pyramid_ms);
    for (int i = 0; i < 3; i++) {
        const mtcnn_stage *stage = &result->stages[i];
        char inputs[32];
        snprintf(inputs, sizeof inputs, "%d %s", stage->inputs, units[i][0]);
        fprintf(stream, "  %-10s%-12s -> %4d %s %7.2f ms\n", output_stage_names[i], inputs,
                stage->count, units[i][1], stage->milliseconds);
    }
    fprintf(stream, "  %-36s%8.2f ms\n", "total", result->total_ms);
}

/* ---- all forms -------------------------------------------------------------------------------- */

void output_begin(FILE *stream, enum output_format format)
{
    if (format == OUTPUT_CSV)
        fprintf(stream, "image,%s", csv_header);
}

void output_begin_video(FILE *stream, enum output_format format, bool tracked)
{
    if (format == OUTPUT_CSV)
        fprintf(stream, "video,frame,seconds,%s%s", tracked ? "id," : "", csv_header);
}

void output_findings(FILE *stream, enum output_format format, const struct findings *findings,
                     bool time)
{
    switch (format) {
    case OUTPUT_TEXT: print_text(stream, findings); break;
    case OUTPUT_JSON: print_json(stream, findings, time); break;
    case OUTPUT_CSV: print_csv(stream, findings); break;
    }
}
