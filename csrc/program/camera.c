#include "camera.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEVICES "/dev/video"

void camera_name(char name[CAMERA_NAME_SIZE], int number)
{
    snprintf(name, CAMERA_NAME_SIZE, DEVICES "%d", number);
}

int camera_exists(const char *name, struct message *message)
{
    if (!access(name, F_OK))
        return 0;
    if (errno != ENOENT)
        return message_set(message, "cannot be opened: %s", strerror(errno));
    glob_t found = {0};
    char names[256] = "";
    size_t length = 0;
    if (!glob(DEVICES "[0-9]*", 0, NULL, &found))
        for (size_t i = 0; i < found.gl_pathc && length < sizeof names; i++)
            length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", i ? ", " : "",
                                       found.gl_pathv[i]);
    globfree(&found);
    return message_set(message, "there is no such camera, %s%s", length ? "but " : "nor any other",
                       names);
}
