#include "output.h"

#include <stdlib.h>

char *output_text(mtcnn_form form, const mtcnn_findings *findings, size_t *length)
{
    const size_t size = 4096; /* enough for some faces */
    char *text = malloc(size);
    if (!text || mtcnn_format(form, findings, text, size, length, NULL)) {
        free(text);
        return NULL;
    }
    if (*length < size)
        return text;
    free(text);
    text = malloc(*length + 1);
    if (text)
        mtcnn_format(form, findings, text, *length + 1, length, NULL);
    return text;
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
