/* What was found, as text, JSON, CSV, in WIDER FACE's form, and for people: public functions. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "decimal.h"
#include "error.h"
#include "found.h"
#include "model.h"
#include "utf8.h"

/* PNet and RNet find boxes alone. */
static bool has_landmarks(const mtcnn_findings *findings)
{
    return findings->stage == 0 || findings->stage - 1 == MT_ONET;
}

/* ---- text of a given size -------------------------------------------------------------------- */

typedef struct mt_text {
    char *data;
    size_t size;
    size_t length; /* of the whole; what goes beyond size is only counted */
} mt_text;

static void put_bytes(mt_text *text, const char *bytes, size_t count)
{
    const size_t room = text->length < text->size ? text->size - text->length : 0;
    if (room)
        memcpy(text->data + text->length, bytes, count < room ? count : room);
    text->length = count < SIZE_MAX - text->length ? text->length + count : SIZE_MAX;
}

static void put(mt_text *text, const char *string)
{
    put_bytes(text, string, strlen(string));
}

/* As printf; for short things, and none that depends on the locale. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
put_format(mt_text *text, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    put(text, line);
}

/* before, then the number. */
static void put_decimal(mt_text *text, const char *before, double value, int digits)
{
    char number[MT_DECIMAL_SIZE];
    put(text, before);
    put(text, mt_write_decimal(number, value, digits));
}

/* For a terminal: '?' for line feeds, escape sequences and the like. */
static void put_printable(mt_text *text, const char *string)
{
    for (; *string; string++) {
        const unsigned char byte = (unsigned char)*string;
        put_bytes(text, byte < 0x20 || byte == 0x7f ? "?" : string, 1);
    }
}

/* Frame, seconds and id, as far as there are such, each after the separator. */
static void put_place(mt_text *text, const mtcnn_findings *findings, int index,
                      const char *separator)
{
    if (findings->is_frame) {
        put_format(text, "%s%" PRId64, separator, findings->frame);
        put_decimal(text, separator, findings->seconds, 3);
    }
    if (findings->tracks)
        put_format(text, "%s%" PRIu32, separator, findings->tracks->faces[index].id);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void write_text(mt_text *text, const mtcnn_findings *findings)
{
    const int landmarks = has_landmarks(findings) ? 10 : 0;
    const int count = mtcnn_findings_count(findings);
    for (int i = 0; i < count; i++) {
        const mtcnn_face *face = mt_found_face(findings, i);
        put(text, findings->source);
        put_place(text, findings, i, "\t");
        for (int j = 0; j < 4; j++)
            put_decimal(text, j ? " " : "\t", face->box[j], 2);
        put_decimal(text, " ", face->score, 4);
        for (int j = 0; j < landmarks; j++)
            put_decimal(text, " ", face->landmarks[j], 2);
        put(text, "\n");
    }
}

/* ---- JSON (RFC 8259) ------------------------------------------------------------------------- */

/* Whether a string has bytes that are not UTF-8, or seems to have some that were escaped. */
static bool needs_escapes(const char *string)
{
    if (strstr(string, "\\x"))
        return true;
    for (int length; *string; string += length)
        if (!(length = mt_utf8_length(string)))
            return true;
    return false;
}

/*
 * Bytes that are not UTF-8, which JSON cannot hold, become \xff and the like; in such a string a
 * backslash comes twice, so that different strings stay different.
 */
static void put_json_string(mt_text *text, const char *string)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const bool escapes = needs_escapes(string);
    put(text, "\"");
    while (*string) {
        const unsigned char byte = (unsigned char)*string;
        const char *escape = strchr(escaped, *string);
        const int length = mt_utf8_length(string);
        if (escapes && byte == '\\')
            put(text, "\\\\\\\\");
        else if (escape)
            put_format(text, "\\%c", letters[escape - escaped]);
        else if (byte < 0x20)
            put_format(text, "\\u%04x", byte);
        else if (length)
            put_bytes(text, string, (size_t)length);
        else
            put_format(text, "\\\\x%02x", byte);
        string += length ? length : 1;
    }
    put(text, "\"");
}

static void put_json_face(mt_text *text, const mtcnn_findings *findings, int index)
{
    const mtcnn_face *face = mt_found_face(findings, index);
    put(text, index ? ", {" : "{");
    if (findings->tracks)
        put_format(text, "\"id\": %" PRIu32 ", ", findings->tracks->faces[index].id);
    for (int i = 0; i < 4; i++)
        put_decimal(text, i ? ", " : "\"box\": [", face->box[i], 3);
    put_decimal(text, "], \"score\": ", face->score, 6);
    for (int i = 0; i < 5 && has_landmarks(findings); i++) {
        put_decimal(text, i ? "], [" : ", \"landmarks\": [[", face->landmarks[2 * i], 3);
        put_decimal(text, ", ", face->landmarks[2 * i + 1], 3);
    }
    put(text, has_landmarks(findings) ? "]]}" : "}");
}

static void put_json_times(mt_text *text, const mtcnn_findings *findings)
{
    const mtcnn_result *result = findings->result;
    if (result) {
        put_format(text, ", \"levels\": %d, \"candidates\": {", result->levels);
        for (int i = 0; i < MT_STAGES; i++)
            put_format(text, "%s\"%s\": [%d, %d]", i ? ", " : "", mt_stage_names[i],
                       result->stages[i].inputs, result->stages[i].count);
        put_decimal(text, "}, \"milliseconds\": {\"pyramid\": ", result->pyramid_ms, 3);
        for (int i = 0; i < MT_STAGES; i++) {
            put_format(text, ", \"%s", mt_stage_names[i]);
            put_decimal(text, "\": ", result->stages[i].milliseconds, 3);
        }
        put_decimal(text, ", \"total\": ", result->total_ms, 3);
    } else {
        put_decimal(text, ", \"milliseconds\": {\"total\": ", findings->tracks->total_ms, 3);
    }
    put(text, "}");
}

static void write_json(mt_text *text, const mtcnn_findings *findings)
{
    const int count = mtcnn_findings_count(findings);
    put(text, findings->is_frame ? "{\"video\": " : "{\"image\": ");
    put_json_string(text, findings->source);
    if (findings->is_frame) {
        put_format(text, ", \"frame\": %" PRId64, findings->frame);
        put_decimal(text, ", \"seconds\": ", findings->seconds, 3);
    }
    put_format(text, ", \"width\": %d, \"height\": %d", findings->width, findings->height);
    if (findings->stage)
        put_format(text, ", \"stage\": \"%s\"", mt_stage_names[findings->stage - 1]);
    put(text, ", \"faces\": [");
    for (int i = 0; i < count; i++)
        put_json_face(text, findings, i);
    put(text, "]");
    if (findings->timed)
        put_json_times(text, findings);
    put(text, "}\n");
}

/* ---- CSV (RFC 4180, with LF for line ends) --------------------------------------------------- */

#define FACE_COLUMNS \
    "x1,y1,x2,y2,score,left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y," \
    "left_mouth_x,left_mouth_y,right_mouth_x,right_mouth_y\n"

const char *mtcnn_csv_header(int is_frame, int has_ids)
{
    static const char *const headers[2][2] = {
        {"image," FACE_COLUMNS, "image,id," FACE_COLUMNS},
        {"video,frame,seconds," FACE_COLUMNS, "video,frame,seconds,id," FACE_COLUMNS}};
    return headers[is_frame != 0][has_ids != 0];
}

static void put_csv_string(mt_text *text, const char *string)
{
    if (!string[strcspn(string, ",\"\r\n")]) {
        put(text, string);
        return;
    }
    put(text, "\"");
    for (; *string; string++)
        put_bytes(text, *string == '"' ? "\"\"" : string, *string == '"' ? 2 : 1);
    put(text, "\"");
}

static void write_csv(mt_text *text, const mtcnn_findings *findings)
{
    const int count = mtcnn_findings_count(findings);
    for (int i = 0; i < count; i++) {
        const mtcnn_face *face = mt_found_face(findings, i);
        put_csv_string(text, findings->source);
        put_place(text, findings, i, ",");
        for (int j = 0; j < 4; j++)
            put_decimal(text, ",", face->box[j], 3);
        put_decimal(text, ",", face->score, 6);
        for (int j = 0; j < 10; j++) {
            if (has_landmarks(findings))
                put_decimal(text, ",", face->landmarks[j], 3);
            else
                put(text, ",");
        }
        put(text, "\n");
    }
}

/* ---- other forms ----------------------------------------------------------------------------- */

static void write_wider(mt_text *text, const mtcnn_findings *findings)
{
    const int count = mtcnn_findings_count(findings);
    put(text, findings->source);
    put_format(text, "\n%d\n", count);
    for (int i = 0; i < count; i++) {
        const mtcnn_face *face = mt_found_face(findings, i);
        const double x = face->box[0], y = face->box[1];
        put_decimal(text, "", x, 3);
        put_decimal(text, " ", y, 3);
        put_decimal(text, " ", face->box[2] - x, 3);
        put_decimal(text, " ", face->box[3] - y, 3);
        put_decimal(text, " ", face->score, 8);
        put(text, "\n");
    }
}

static void put_total(mt_text *text, double milliseconds)
{
    char number[MT_DECIMAL_SIZE];
    put_format(text, "  %-36s%8s ms\n", "total", mt_write_decimal(number, milliseconds, 2));
}

static void write_times(mt_text *text, const mtcnn_findings *findings)
{
    static const char *const units[MT_STAGES][2] = {
        {"cells", "boxes"}, {"crops", "boxes"}, {"crops", "faces"}};
    const mtcnn_result *result = findings->result;
    char what[32], number[MT_DECIMAL_SIZE];
    put_printable(text, findings->source);
    put(text, ":\n");
    if (!result) {
        put_total(text, findings->tracks->total_ms);
        return;
    }
    snprintf(what, sizeof what, "%d levels", result->levels);
    put_format(text, "  %-10s%-26s%8s ms\n", "pyramid", what,
               mt_write_decimal(number, result->pyramid_ms, 2));
    for (int i = 0; i < MT_STAGES; i++) {
        const mtcnn_stage *stage = &result->stages[i];
        snprintf(what, sizeof what, "%d %s", stage->inputs, units[i][0]);
        put_format(text, "  %-10s%-12s -> %4d %s %7s ms\n", mt_stage_names[i], what, stage->count,
                   units[i][1], mt_write_decimal(number, stage->milliseconds, 2));
    }
    put_total(text, result->total_ms);
}

static void write_summary(mt_text *text, const mtcnn_findings *findings)
{
    const int count = mtcnn_findings_count(findings);
    put_printable(text, findings->source);
    put_format(text, ": %d face%s\n", count, count == 1 ? "" : "s");
}

int mtcnn_format(mtcnn_form form, const mtcnn_findings *findings, char *text, size_t size,
                 size_t *length, mtcnn_error *error)
{
    mt_clear(error);
    if (length)
        *length = 0;
    const int status = mt_check_findings(findings, error);
    if (status)
        return status;
    if (!findings->source || (size && !text))
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "the source and the text must not be NULL");
    mt_text whole = {text, size, 0};
    switch (form) {
    case MTCNN_FORM_TEXT: write_text(&whole, findings); break;
    case MTCNN_FORM_JSON: write_json(&whole, findings); break;
    case MTCNN_FORM_CSV: write_csv(&whole, findings); break;
    case MTCNN_FORM_WIDER: write_wider(&whole, findings); break;
    case MTCNN_FORM_TIMES: write_times(&whole, findings); break;
    case MTCNN_FORM_SUMMARY: write_summary(&whole, findings); break;
    default:
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "unknown form %d: one of mtcnn_form is needed",
                       (int)form);
    }
    if (size)
        text[whole.length < size ? whole.length : size - 1] = '\0';
    if (length)
        *length = whole.length;
    return MTCNN_OK;
}
