#include "destination.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "picture.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two pictures of one name would overwrite each other in the folder. */
static int refuse_same_names(char *const *pictures, int count, struct message *message)
{
    const char **names = malloc((size_t)count * sizeof *names);
    if (!names)
        return message_set(message, "no memory for %d names", count);
    for (int i = 0; i < count; i++)
        names[i] = base_name(pictures[i]);
    qsort(names, (size_t)count, sizeof *names, compare_names);
    int failed = 0;
    for (int i = 1; i < count && !failed; i++)
        if (!strcmp(names[i - 1], names[i]))
            failed = message_set(message,
                                 "two pictures are called %s and would overwrite each other there; "
                                 "run them one by one, into two folders",
                                 names[i]);
    free(names);
    return failed;
}

int destination_plan(struct destination *destination, const char *path, char *const *pictures,
                     int count, struct message *message)
{
    *destination = (struct destination){.path = path};
    if (!path)
        return 0;
    struct stat status;
    destination->folder = count > 1 || path[strlen(path) - 1] == '/' ||
                          (stat(path, &status) == 0 && S_ISDIR(status.st_mode));
    return destination->folder ? refuse_same_names(pictures, count, message)
                               : picture_writable(path, message);
}

/* mkdir -p; errno tells the cause of -1. */
static int make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int failed = mkdir(path, 0777) && errno != EEXIST;
        *slash = '/';
        if (failed)
            return -1;
    }
    if (mkdir(path, 0777) && errno != EEXIST)
        return -1;
    struct stat status;
    if (stat(path, &status))
        return -1;
    errno = ENOTDIR;
    return S_ISDIR(status.st_mode) ? 0 : -1;
}

int destination_make(const struct destination *destination, struct message *message)
{
    if (!destination->path || !destination->folder)
        return 0;
    char *path = strdup(destination->path);
    if (!path)
        return message_set(message, "no memory for the path");
    int failed = make_folders(path);
    if (failed)
        message_set(message, "the folder for the annotated pictures cannot be made: %s",
                    strerror(errno));
    free(path);
    return failed;
}

bool same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

char *destination_of(const struct destination *destination, const char *picture,
                     struct message *message)
{
    const char *folder = destination->path;
    const char *name = destination->folder ? base_name(picture) : "";
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (!path) {
        message_set(message, "no memory for the path");
        return NULL;
    }
    bool slash = destination->folder && folder[strlen(folder) - 1] != '/';
    snprintf(path, size, "%s%s%s", folder, slash ? "/" : "", name);

    int failed = picture_writable(path, message);
    if (!failed && same_file(path, picture))
        failed = message_set(message, "would be overwritten by its annotated copy; choose another "
                                      "--out");
    if (failed) {
        free(path);
        return NULL;
    }
    return path;
}
