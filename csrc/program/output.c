#include "output.h"

#include <stdlib.h>

bool output_has_landmarks(int stage)
{
    return stage == STAGE_FINAL || stage == 2;
}

int output_count(const mtcnn_findings *findings)
{
    const int stage = findings->stage;
    return findings->tracks ? findings->tracks->count
           : stage          ? findings->result->stages[stage - 1].count
                            : findings->result->count;
}

char *output_text(mtcnn_form form, const mtcnn_findings *findings, size_t *length)
{
    size_t size = 4096; /* enough for some faces; else the second time it is what is needed */
    for (;;) {
        char *text = malloc(size);
        if (!text || (!mtcnn_format(form, findings, text, size, length, NULL) && *length < size))
            return text;
        free(text);
        size = *length + 1;
    }
}

int output_write(FILE *stream, mtcnn_form form, const mtcnn_findings *findings)
{
    size_t length;
    char *text = output_text(form, findings, &length);
    if (!text)
        return -1;
    fwrite(text, 1, length, stream);
    free(text);
    return 0;
}
