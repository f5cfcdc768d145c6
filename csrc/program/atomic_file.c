#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"

#define ATTEMPTS 100
#define MAX_FILES 1024 /* open at a time: threads have one each */
#define MAX_LINKS 40   /* that lead on to one another, as the system has it */

/*
 * The names of the temporary files there are now; the signal handler must be able to find them. Who
 * takes a name out of here owns it. The handler leaves ended in each place.
 */
static _Atomic(char *) temporaries[MAX_FILES];
static char ended[] = "";

static void on_signal(int number)
{
    for (int i = 0; i < MAX_FILES; i++) {
        const char *name = atomic_exchange(&temporaries[i], ended);
        if (name && name != ended)
            unlink(name);
    }
    raise(number); /* its default action is back: SA_RESETHAND */
}

void atomic_file_remove_on_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) || action.sa_handler != SIG_DFL)
            continue; /* ours already, or ignored, as nohup asks */
        action.sa_handler = on_signal;
        action.sa_flags = (int)SA_RESETHAND;
        sigaction(numbers[i], &action, NULL);
    }
}

int atomic_file_fail(struct message *message, int cause)
{
    const char *remedy = cause == ENOENT   ? "; make its folder first"
                         : cause == ENOSPC ? "; free some space"
                                           : "";
    return message_set(message, "cannot be written: %s%s", strerror(cause), remedy);
}

/* For threads whose file a signal has removed: what then fails needs no message. */
static void wait_for_end(void)
{
    for (;;)
        pause();
}

/* A place for the temporary file's name, so that a signal removes it; -1: there are too many. */
static int list_name(char *name)
{
    for (int i = 0; i < MAX_FILES; i++) {
        char *none = NULL;
        if (atomic_compare_exchange_strong(&temporaries[i], &none, name))
            return i;
        if (none == ended)
            wait_for_end();
    }
    return -1;
}

static char *unlist_name(int place)
{
    char *name = atomic_load(&temporaries[place]);
    if (name == ended || !atomic_compare_exchange_strong(&temporaries[place], &name, NULL))
        wait_for_end();
    return name;
}

/* Creates a file beside path under a new name, which it lists; errno has the cause of -1. */
static int create(struct atomic_file *file, const char *path)
{
    static atomic_int number; /* threads try other names */
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash - path) + 1 : 0;
    const size_t size = (size_t)folder + 64;
    char *name = malloc(size);
    if (!name)
        return -1;
    snprintf(name, size, "%.*s.mtcnn-%ld-%d.tmp", folder, path, (long)getpid(),
             atomic_fetch_add(&number, 1));
    file->temporary = name;
    file->place = list_name(name);
    int descriptor = -1, cause = EMFILE;
    if (file->place >= 0) {
        descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        cause = errno;
    }
    if (descriptor < 0)
        free(file->place < 0 ? name : unlist_name(file->place));
    errno = cause;
    return descriptor;
}

/* What a link at path holds, as a path, to be freed; NULL, with errno, where there is no link. */
static char *link_at(const char *path)
{
    char text[PATH_MAX];
    const ssize_t length = readlink(path, text, sizeof text - 1);
    if (length < 0)
        return NULL;
    text[length] = '\0';
    const char *slash = strrchr(path, '/');
    if (text[0] == '/' || !slash)
        return strdup(text);
    char *folder = strndup(path, (size_t)(slash - path) + 1);
    char *target = folder ? folder_join(folder, text) : NULL;
    free(folder);
    return target;
}

/* The path that links from path lead to, to be freed, whether it is there or not; NULL: errno. */
static char *target_of(const char *path)
{
    char *target = strdup(path);
    for (int i = 0; i < MAX_LINKS && target; i++) {
        char *next = link_at(target);
        if (!next && (errno == EINVAL || errno == ENOENT)) /* no link, or nothing at all */
            return target;
        free(target);
        target = next;
    }
    if (target)
        errno = ELOOP;
    free(target);
    return NULL;
}

/* A stream, or a new file beside the target; errno has the cause of -1. */
static int open_descriptor(struct atomic_file *file)
{
    if (atomic_file_is_stream(file->path))
        return open(file->path, O_WRONLY | O_CLOEXEC);
    file->target = target_of(file->path);
    if (!file->target)
        return -1;
    int descriptor = create(file, file->target);
    for (int i = 1; descriptor < 0 && errno == EEXIST && i < ATTEMPTS; i++)
        descriptor = create(file, file->target); /* an old one of a process with our number */
    return descriptor;
}

bool atomic_file_is_stream(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode));
}

int atomic_file_open(struct atomic_file *file, const char *path, struct message *message)
{
    *file = (struct atomic_file){.path = path};
    struct stat status;
    if (stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            return atomic_file_fail(message, EISDIR);
        if (S_ISBLK(status.st_mode) || S_ISSOCK(status.st_mode))
            return message_set(message, "cannot be written: is a disk or a socket; name a file");
        if (access(path, W_OK)) /* renaming would not respect a write-protected file */
            return atomic_file_fail(message, errno);
    }
    atomic_file_remove_on_signals();
    int descriptor = open_descriptor(file), cause = errno;
    file->stream = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (file->stream)
        return 0;
    if (descriptor < 0) {
        free(file->target);
    } else {
        cause = errno;
        close(descriptor);
        atomic_file_abandon(file);
    }
    return atomic_file_fail(message, cause);
}

void atomic_file_abandon(struct atomic_file *file)
{
    if (file->stream)
        fclose(file->stream);
    file->stream = NULL;
    if (!file->target)
        return;
    char *name = unlist_name(file->place);
    unlink(name);
    free(name);
    free(file->target);
}

int atomic_file_commit(struct atomic_file *file, struct message *message)
{
    int cause = 0;
    if (ferror(file->stream) || fflush(file->stream))
        cause = errno;
    if (fclose(file->stream) && !cause)
        cause = errno;
    file->stream = NULL;
    if (!cause && file->target && rename(file->temporary, file->target))
        cause = errno;
    if (cause) {
        atomic_file_abandon(file);
        return atomic_file_fail(message, cause);
    }
    if (file->target)
        free(unlist_name(file->place));
    free(file->target);
    return 0;
}
