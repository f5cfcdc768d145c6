#include "destination.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "folder.h"
#include "picture_file.h"

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int destination_refuse_same_names(const struct inputs *inputs,
                                  char *(*name_of)(const struct input *input),
                                  struct message *message)
{
    int failed = 0, count = 0;
    char **names = malloc((size_t)inputs->count * sizeof *names);
    while (names && count < inputs->count && (names[count] = name_of(&inputs->items[count])))
        count++;
    if (count < inputs->count)
        failed = message_set(message, "no memory for %d names", inputs->count);
    else
        qsort(names, (size_t)count, sizeof *names, compare_names);
    for (int i = 1; i < count && !failed; i++)
        if (!strcmp(names[i - 1], names[i]))
            failed = message_set(message,
                                 "two pictures are called %s and would overwrite each other there; "
                                 "run them one by one, into two folders",
                                 names[i]);
    while (count > 0)
        free(names[--count]);
    free(names);
    return failed;
}

/* The name of its annotated copy in a folder: a PNG, where it is not one that can be written. */
static char *copy_name(const struct input *input)
{
    struct message message;
    if (!picture_writable(input->name, &message))
        return strdup(input->name);
    char *stem = destination_stem(input->name);
    char *name = stem ? malloc(strlen(stem) + strlen(picture_ending()) + 1) : NULL;
    if (name)
        strcat(strcpy(name, stem), picture_ending());
    free(stem);
    return name;
}

int destination_plan(struct destination *destination, const char *path, const struct inputs *inputs,
                     struct message *message)
{
    *destination = (struct destination){.path = path, .inputs = inputs};
    if (!path)
        return 0;
    struct stat status;
    destination->folder = inputs->several || path[strlen(path) - 1] == '/' ||
                          (stat(path, &status) == 0 && S_ISDIR(status.st_mode));
    return destination->folder ? destination_refuse_same_names(inputs, copy_name, message)
                               : picture_writable(path, message);
}

char *destination_of(const struct destination *destination, const struct input *input,
                     struct message *message)
{
    char *name = copy_name(input);
    char *path = !destination->folder ? strdup(destination->path)
                 : name               ? folder_join(destination->path, name)
                                      : NULL;
    free(name);
    int failed = path ? picture_writable(path, message) : message_set(message, "no memory");
    if (!failed && inputs_contain(destination->inputs, path))
        failed = message_set(message,
                             "its annotated copy would overwrite %s, which is one of the pictures; "
                             "choose another --out",
                             path);
    if (!failed && destination->folder && folder_make_for(path))
        failed = message_set(message, "the folder for its annotated copy cannot be made: %s",
                             strerror(errno));
    if (failed) {
        free(path);
        return NULL;
    }
    return path;
}

char *destination_stem(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *dot = strrchr(slash ? slash + 1 : name, '.');
    return dot && dot != name ? strndup(name, (size_t)(dot - name)) : strdup(name);
}
