#include "inputs.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file_identity.h"
#include "folder.h"
#include "message.h"
#include "mtcnn.h"

#define STANDARD_INPUT_NAME "stdin.png"

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

bool inputs_is_picture_name(const char *name)
{
    char ending[8] = "";
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name || strlen(dot) >= sizeof ending)
        return false;
    for (int i = 0; dot[i]; i++)
        ending[i] = dot[i] >= 'A' && dot[i] <= 'Z' ? (char)(dot[i] - 'A' + 'a') : dot[i];
    const char *endings = mtcnn_picture_endings();
    const size_t length = strlen(ending);
    for (const char *found = endings; (found = strstr(found, ending)); found += length)
        if (found[length] == ' ' || !found[length])
            return true;
    return false;
}

/* skip: bytes of the paths of what is found before the names of its outputs. */
static int add_folder(struct inputs *inputs, const char *folder, size_t skip)
{
    struct dirent **entries;
    const int count = scandir(folder, &entries, is_visible, compare_entries);
    if (count < 0) {
        struct message message;
        message_set(&message, "cannot be read: %s", strerror(errno));
        return report(inputs, folder, message.text);
    }
    int failed = 0;
    for (int i = 0; i < count; i++) {
        char *path = failed ? NULL : folder_join(folder, entries[i]->d_name);
        struct stat status;
        if (!failed && !path) {
            failed = no_memory();
        } else if (path && lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
            failed = add_folder(inputs, path, skip);
        } else if (path && inputs_is_picture_name(entries[i]->d_name) && stat(path, &status) == 0 &&
                   S_ISREG(status.st_mode)) { /* opening a named pipe would wait */
            failed = add(inputs, path, skip);
            path = NULL;
        }
        free(path);
        free(entries[i]);
    }
    free(entries);
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
    int failed = add_folder(inputs, path, strlen(path) + (path[strlen(path) - 1] != '/'));
    if (!failed && inputs->count == before && !inputs->failed)
        report(inputs, path, "is a folder without pictures, by the endings of the names in it");
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

void inputs_free(struct inputs *inputs)
{
    for (int i = 0; i < inputs->count; i++)
        free(inputs->items[i].path);
    free(inputs->items);
    free(inputs->files);
    *inputs = (struct inputs){0};
}
