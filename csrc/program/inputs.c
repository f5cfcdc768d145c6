#include "inputs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_identity.h"
#include "folder.h"
#include "message.h"
#include "mtcnn.h"

#define STANDARD_INPUT_NAME "stdin.png"
#define NAMED 5 /* of the files that are passed over, so many are */

static int no_memory(void)
{
    message_print(NULL, "no memory for the list of pictures");
    return -1;
}

/* Takes path over, also when it fails. skip: bytes of it before the name of its outputs. */
static int add(struct inputs *inputs, char *path, size_t skip)
{
    if (path && !(inputs->count & (inputs->count - 1))) { /* full: the room is a power of two */
        const size_t room = inputs->count ? 2 * (size_t)inputs->count : 1;
        struct input *more = realloc(inputs->items, room * sizeof *more);
        if (!more) {
            free(path);
            path = NULL;
        } else {
            inputs->items = more;
        }
    }
    if (!path)
        return no_memory();
    const bool standard = !strcmp(path, STANDARD_INPUT);
    inputs->items[inputs->count++] = (struct input){path,
                                                    standard ? STANDARD_INPUT_NAME : path + skip};
    return 0;
}

static int report(struct inputs *inputs, const char *path, const char *text)
{
    message_print(path, text);
    inputs->failed = true;
    return 0;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* By bytes: the same order whatever the language. */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/*
 * Whether a folder gives this file as a picture. One that cannot be read may be one, so that its
 * reading says why.
 */
static bool is_picture(const char *path)
{
    uint8_t head[MTCNN_PICTURE_HEAD];
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return true;
    const ssize_t size = read(file, head, sizeof head);
    close(file);
    return size < 0 || mtcnn_picture_kind(head, (size_t)size, path);
}

/* A folder that is being read. */
struct walk {
    struct inputs *inputs;
    size_t skip; /* bytes of the paths of what is found before the names of its outputs */
    int passed;  /* files that are no pictures */
    FILE *names; /* of the first of them */
};

static void pass_over(struct walk *walk, const char *path)
{
    if (walk->passed < NAMED) {
        fputs(walk->passed ? ", " : "", walk->names);
        message_write_name(walk->names, path + walk->skip);
    }
    walk->passed++;
}

static int add_folder(struct walk *walk, const char *folder);

/* What a folder has under a name; takes path over. */
static int add_entry(struct walk *walk, char *path)
{
    struct stat status;
    int failed = 0;
    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        failed = add_folder(walk, path);
    } else if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) { /* else open might wait */
        if (is_picture(path))
            return add(walk->inputs, path, walk->skip);
        pass_over(walk, path);
    }
    free(path);
    return failed;
}

static int add_folder(struct walk *walk, const char *folder)
{
    struct dirent **entries;
    const int count = scandir(folder, &entries, is_visible, compare_entries);
    if (count < 0) {
        struct message message;
        message_set(&message, "cannot be read: %s", strerror(errno));
        return report(walk->inputs, folder, message.text);
    }
    int failed = 0;
    for (int i = 0; i < count; i++) {
        char *path = failed ? NULL : folder_join(folder, entries[i]->d_name);
        if (!failed)
            failed = path ? add_entry(walk, path) : no_memory();
        free(entries[i]);
    }
    free(entries);
    return failed;
}

/* Adds the line about what a folder has beside pictures. */
static int note_passed_over(struct inputs *inputs, const char *folder, int count, const char *names)
{
    char *lines = NULL;
    size_t size;
    FILE *stream = open_memstream(&lines, &size);
    if (!stream)
        return no_memory();
    if (inputs->passed_over)
        fputs(inputs->passed_over, stream);
    fputs("mtcnn: ", stream);
    message_write_name(stream, folder);
    fprintf(stream, ": passed over %d file%s that %s no picture%s: %s", count,
            count == 1 ? "" : "s", count == 1 ? "is" : "are", count == 1 ? "" : "s", names);
    if (count > NAMED)
        fprintf(stream, " and %d more", count - NAMED);
    fputc('\n', stream);
    if (fclose(stream))
        return no_memory();
    free(inputs->passed_over);
    inputs->passed_over = lines;
    return 0;
}

static int walk_folder(struct inputs *inputs, const char *folder)
{
    char *names = NULL;
    size_t size;
    struct walk walk = {.inputs = inputs,
                        .skip = strlen(folder) + (folder[strlen(folder) - 1] != '/'),
                        .names = open_memstream(&names, &size)};
    if (!walk.names)
        return no_memory();
    int failed = add_folder(&walk, folder);
    if (fclose(walk.names))
        failed = no_memory();
    if (!failed && walk.passed)
        failed = note_passed_over(inputs, folder, walk.passed, names);
    free(names);
    return failed;
}

/* A file, or the folder's pictures. */
static int add_path(struct inputs *inputs, const char *path)
{
    struct stat status;
    if (stat(path, &status) || !S_ISDIR(status.st_mode)) {
        const char *slash = strrchr(path, '/');
        return add(inputs, strdup(path), slash ? (size_t)(slash - path) + 1 : 0);
    }
    const int before = inputs->count;
    const bool failed_before = inputs->failed;
    inputs->several = true;
    inputs->failed = false;
    int failed = walk_folder(inputs, path);
    if (!failed && inputs->count == before && !inputs->failed)
        report(inputs, path, "is a folder without pictures");
    inputs->failed |= failed_before;
    return failed;
}

static int add_pattern(struct inputs *inputs, const char *pattern)
{
    glob_t found;
    int failed = 0;
    switch (glob(pattern, 0, NULL, &found)) {
    case 0:
        inputs->several = true;
        for (size_t i = 0; i < found.gl_pathc && !failed; i++)
            failed = add_path(inputs, found.gl_pathv[i]);
        break;
    case GLOB_NOSPACE: failed = no_memory(); break;
    default: failed = report(inputs, pattern, "no file has a name of this pattern");
    }
    globfree(&found);
    return failed;
}

static int identify_all(struct inputs *inputs)
{
    inputs->files = malloc(((size_t)inputs->count + 1) * sizeof *inputs->files);
    if (!inputs->files)
        return no_memory();
    for (int i = 0; i < inputs->count; i++)
        inputs->present += file_identify(inputs->items[i].path, &inputs->files[inputs->present]);
    qsort(inputs->files, (size_t)inputs->present, sizeof *inputs->files, file_compare);
    return 0;
}

bool inputs_contain(const struct inputs *inputs, const char *path)
{
    struct file_identity file;
    return file_identify(path, &file) &&
           bsearch(&file, inputs->files, (size_t)inputs->present, sizeof file, file_compare);
}

int inputs_find(struct inputs *inputs, char *const *words, int count)
{
    *inputs = (struct inputs){0};
    int failed = 0;
    for (int i = 0; i < count && !failed; i++) {
        struct stat status;
        const bool pattern = words[i][strcspn(words[i], "*?[")] && lstat(words[i], &status);
        failed = pattern ? add_pattern(inputs, words[i]) : add_path(inputs, words[i]);
    }
    inputs->several |= inputs->count > 1;
    return failed || identify_all(inputs) ? -1 : 0;
}

const char *inputs_title(const struct input *input)
{
    return strcmp(input->path, STANDARD_INPUT) ? input->path : "standard input";
}

void inputs_free(struct inputs *inputs)
{
    for (int i = 0; i < inputs->count; i++)
        free(inputs->items[i].path);
    free(inputs->items);
    free(inputs->files);
    free(inputs->passed_over);
    *inputs = (struct inputs){0};
}
