#include "predictions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomic_file.h"
#include "destination.h"
#include "folder.h"
#include "output.h"

/* "event/name.jpg", to be freed; NULL: no memory. What is in no folder with a name has no event. */
static char *name_with_event(const struct input *input)
{
    const char *slash = strrchr(input->path, '/');
    const char *name = slash ? slash + 1 : input->name;
    if (!strcmp(input->path, STANDARD_INPUT))
        return strdup(name);
    char *folder = slash ? strndup(input->path, (size_t)(slash - input->path) + 1) : strdup(".");
    char *real = folder ? realpath(folder, NULL) : NULL; /* "." and ".." have a name, too */
    const char *event = real ? strrchr(real, '/') + 1 : "";
    char *both = *event ? folder_join(event, name) : strdup(name);
    free(real);
    free(folder);
    return both;
}

static char *stem_with_event(const struct input *input)
{
    char *name = name_with_event(input);
    char *stem = name ? destination_stem(name) : NULL;
    free(name);
    return stem;
}

int predictions_plan(const struct inputs *inputs, struct message *message)
{
    return destination_refuse_same_names(inputs, stem_with_event, message);
}

static int write_file(const char *path, const mtcnn_findings *findings, struct message *message)
{
    struct atomic_file file;
    if (folder_make_for(path))
        return message_set(message, "its folder cannot be made: %s", strerror(errno));
    if (atomic_file_open(&file, path, message))
        return -1;
    if (output_write(file.stream, MTCNN_FORM_WIDER, findings)) {
        atomic_file_abandon(&file);
        return message_set(message, "no memory for its predictions");
    }
    return atomic_file_commit(&file, message);
}

int predictions_write(const char *folder, const struct input *input, const mtcnn_findings *findings,
                      FILE *errors)
{
    struct message message;
    char *name = name_with_event(input);
    char *stem = name ? destination_stem(name) : NULL;
    const size_t size = stem ? strlen(folder) + strlen(stem) + sizeof "/.txt" : 0;
    char *path = stem ? malloc(size) : NULL;
    int failed;
    if (path) {
        snprintf(path, size, "%s/%s.txt", folder, stem);
        mtcnn_findings named = *findings;
        named.source = name;
        failed = write_file(path, &named, &message);
    } else {
        failed = message_set(&message, "no memory for its predictions");
    }
    if (failed)
        message_write(errors, path ? path : input->path, message.text);
    free(path);
    free(stem);
    free(name);
    return failed;
}
