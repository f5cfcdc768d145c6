/* inputs.h: what the command line names: pictures, folders, patterns and standard input. */
#ifndef MTCNN_PROGRAM_INPUTS_H
#define MTCNN_PROGRAM_INPUTS_H

#include <stdbool.h>

#define STANDARD_INPUT "-" /* the path of the picture that is read from there */

struct file_identity;

struct input {
    char *path; /* to open it */
    /*
     * What its outputs are called after: its path below the folder that was named, else its last
     * part; for standard input stdin.png. Part of path, or constant.
     */
    const char *name;
};

struct inputs {
    struct input *items; /* [count] */
    int count;
    struct file_identity *files; /* [present]: those of them that are there, sorted */
    int present;
    bool several; /* outputs need a folder: there are several, or a folder or a pattern was named */
    bool failed;  /* a folder or a pattern gave none; that was reported */
    char *
        passed_over; /* lines about the folders' files that are no pictures; NULL: there are none */
};

/*
 * Finds the inputs that words[count] name, in their order:
 *
 * - a folder: the pictures in it and the folders below it, sorted by name: files of some
 *   mtcnn_picture_kind, and those that cannot be read. Names with a dot in front, links to folders,
 *   and what is no file are left out, other files noted in inputs->passed_over;
 * - what is no file but has one of *?[ in it: all that the pattern fits, sorted (glob(3));
 * - "-": standard input; anything else: itself, whether it is there or not.
 *
 * -1 where memory ran out, which was reported. Free with inputs_free in any case.
 */
int inputs_find(struct inputs *inputs, char *const *words, int count);

/* Whether the file at path is one of them, also through links and other spellings of the path. */
bool inputs_contain(const struct inputs *inputs, const char *path);

/* What messages call it: its path, or "standard input". */
const char *inputs_title(const struct input *input);

void inputs_free(struct inputs *inputs);

#endif
