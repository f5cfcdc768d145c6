#include "folder.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char *folder_join(const char *folder, const char *name)
{
    const size_t length = strlen(folder), size = length + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s%s%s", folder, length && folder[length - 1] == '/' ? "" : "/",
                 name);
    return path;
}

/* mkdir -p for the first length bytes of path, which is changed meanwhile. */
static int make(char *path, size_t length)
{
    for (size_t i = 1; i <= length; i++) {
        if (i < length && path[i] != '/')
            continue;
        const char end = path[i];
        path[i] = '\0';
        struct stat status;
        const int failed = mkdir(path, 0777) && errno != EEXIST;
        const bool is_folder = !failed && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
        path[i] = end;
        if (!failed && !is_folder)
            errno = ENOTDIR;
        if (!is_folder)
            return -1;
    }
    return 0;
}

static int make_copy(const char *path, size_t length)
{
    char *copy = strdup(path);
    const int failed = copy ? make(copy, length) : -1;
    const int cause = errno;
    free(copy);
    errno = cause;
    return failed;
}

int folder_make(const char *path)
{
    return make_copy(path, strlen(path));
}

int folder_make_for(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash > path ? make_copy(path, (size_t)(slash - path)) : 0;
}
