#include "find_model.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Puts the folder of the running program, with a slash at its end, before name. */
static bool beside_program(char path[PATH_MAX], const char *name)
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX); /* Linux; elsewhere: none */
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length <= 0 || (size_t)length + strlen(name) >= PATH_MAX)
        return false;
    strcpy(path + length, name);
    return true;
}

int find_model(mtcnn_model **model, const char *path, mtcnn_error *error)
{
    static const char *const beside[] = {"darknet_cfg/default.data", "../share/mtcnn/default.data"};

    if (!path)
        path = getenv("MTCNN_MODEL");
    if (path && *path)
        return mtcnn_model_load(model, path, error);
    for (size_t i = 0; i < sizeof beside / sizeof *beside && !mtcnn_has_builtin_model(); i++) {
        char found[PATH_MAX];
        if (!beside_program(found, beside[i]))
            continue;
        int status = mtcnn_model_load(model, found, error);
        if (status != MTCNN_ERROR_FILE) /* one whose files are not all there is none */
            return status;
    }
    int status = mtcnn_model_load(model, NULL, error);
    if (status && error && !mtcnn_has_builtin_model())
        snprintf(error->message, sizeof error->message,
                 "no model is built in, and none lies beside the program; name one with "
                 "--model FILE.data");
    return status;
}
