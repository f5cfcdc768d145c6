#include "crops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "destination.h"
#include "folder.h"
#include "picture_file.h"

static char *stem_of(const struct input *input)
{
    return destination_stem(input->name);
}

int crops_plan(const struct inputs *inputs, struct message *message)
{
    return destination_refuse_same_names(inputs, stem_of, message);
}

/* crop: a picture of the right size, whose pixels are overwritten. path: where the crop goes. */
static int write_crop(struct picture *crop, const struct picture *picture, const mtcnn_face *face,
                      const char *path, struct message *message)
{
    const mtcnn_image image = {picture->pixels, picture->width, picture->height,
                               (ptrdiff_t)3 * picture->width, MTCNN_RGB};
    mtcnn_error error;
    if (mtcnn_align(&image, face->landmarks, 1, crop->width, 0, crop->pixels, &error))
        return message_set(message, "cannot be cut out: %s", error.message);
    if (folder_make_for(path))
        return message_set(message, "its folder cannot be made: %s", strerror(errno));
    return picture_write(crop, path, message);
}

/* stem: the crops' path without number and ending. */
static int write_crops(struct picture *crop, const struct inputs *inputs,
                       const struct picture *picture, const mtcnn_face *faces, int count,
                       const char *stem, FILE *errors)
{
    struct message message;
    const size_t size = strlen(stem) + 32;
    char *path = malloc(size);
    int failed = path ? 0 : -1;
    for (int i = 0; i < count && !failed; i++) {
        snprintf(path, size, "%s_%d%s", stem, i, picture_ending());
        failed = inputs_contain(inputs, path)
                     ? message_set(&message,
                                   "is one of the pictures, which a crop would overwrite; "
                                   "choose another --crops")
                     : write_crop(crop, picture, &faces[i], path, &message);
        if (failed)
            message_write(errors, path, message.text);
    }
    if (!path)
        message_write(errors, stem, "no memory for its crops");
    free(path);
    return failed;
}

int crops_write(const char *folder, const struct inputs *inputs, const struct input *input,
                const struct picture *picture, const mtcnn_face *faces, int count, int side,
                FILE *errors)
{
    struct picture crop;
    struct message message;
    char *name = destination_stem(input->name);
    char *stem = name ? folder_join(folder, name) : NULL;
    int failed = picture_allocate(&crop, (size_t)side, (size_t)side, &message);
    if (!stem)
        failed = message_set(&message, "no memory for its crops");
    if (failed)
        message_write(errors, input->path, message.text);
    else
        failed = write_crops(&crop, inputs, picture, faces, count, stem, errors);
    picture_free(&crop);
    free(stem);
    free(name);
    return failed;
}
