#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

/* No network file comes near this; a device like /dev/zero would never end. */
#define MAX_FILE_BYTES ((size_t)1 << 28)

const mt_builtin_file *mt_find_builtin(const char *name)
{
    for (const mt_builtin_file *file = mt_builtin_files; file->name; file++)
        if (!strcmp(file->name, name))
            return file;
    return NULL;
}

static int read_builtin(const char *name, char **data, size_t *size, mtcnn_error *error)
{
    const mt_builtin_file *file = mt_find_builtin(name);
    if (!file)
        return mt_fail(error, MTCNN_ERROR_FILE, "%s: not among the files compiled into the library",
                       name);
    *size = (size_t)(file->end - file->begin);
    *data = malloc(*size + 1);
    if (!*data)
        return mt_fail_memory(error, name, *size + 1);
    memcpy(*data, file->begin, *size);
    (*data)[*size] = '\0';
    return MTCNN_OK;
}

int mt_read_file(const char *path, bool builtin, char **data, size_t *size, mtcnn_error *error)
{
    *data = NULL;
    *size = 0;
    if (builtin)
        return read_builtin(path, data, size, error);

    FILE *file = fopen(path, "rb");
    if (!file)
        return mt_fail(error, MTCNN_ERROR_FILE, "%s: cannot be opened: %s", path, strerror(errno));

    char *bytes = NULL;
    size_t used = 0, capacity = 0;
    int status = MTCNN_OK;
    while (!status) {
        if (used == capacity) {
            capacity = capacity ? 2 * capacity : 1 << 16;
            char *more = capacity <= MAX_FILE_BYTES ? realloc(bytes, capacity + 1) : NULL;
            if (!more) {
                status = capacity <= MAX_FILE_BYTES
                             ? mt_fail_memory(error, path, capacity + 1)
                             : mt_fail(error, MTCNN_ERROR_FILE,
                                       "%s: more than %zu bytes, which no network file has", path,
                                       MAX_FILE_BYTES);
                break;
            }
            bytes = more;
        }
        size_t count = fread(bytes + used, 1, capacity - used, file);
        used += count;
        if (!count) {
            if (ferror(file))
                status = mt_fail(error, MTCNN_ERROR_FILE, "%s: cannot be read: %s", path,
                                 strerror(errno));
            break;
        }
    }
    fclose(file);
    if (status) {
        free(bytes);
        return status;
    }
    bytes[used] = '\0';
    char *trimmed = realloc(bytes, used + 1); /* weights stay as long as their network */
    *data = trimmed ? trimmed : bytes;
    *size = used;
    return MTCNN_OK;
}

char *mt_path_beside(const char *base, const char *name)
{
    const char *slash = strrchr(base, '/');
    size_t folder = name[0] == '/' || !slash ? 0 : (size_t)(slash - base) + 1;
    size_t length = strlen(name);
    char *path = malloc(folder + length + 1);
    if (path) {
        memcpy(path, base, folder);
        memcpy(path + folder, name, length + 1);
    }
    return path;
}
