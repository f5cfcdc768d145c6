#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPTS 100

/* The temporary file there is now; the signal handler must be able to find it. */
static char temporary[PATH_MAX];
static volatile sig_atomic_t temporary_exists;

static void on_signal(int number)
{
    if (temporary_exists)
        unlink(temporary);
    raise(number); /* its default action is back: SA_RESETHAND */
}

void atomic_file_remove_on_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) || action.sa_handler != SIG_DFL)
            continue; /* ours already, or ignored as nohup wishes */
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

int atomic_file_open(struct atomic_file *file, const char *path, struct message *message)
{
    *file = (struct atomic_file){NULL, path};
    struct stat status;
    if (stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            return atomic_file_fail(message, EISDIR);
        if (access(path, W_OK)) /* renaming would not respect a write-protected file */
            return atomic_file_fail(message, errno);
    }
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    if (folder > sizeof temporary - 64)
        return atomic_file_fail(message, ENAMETOOLONG);
    memcpy(temporary, path, folder);

    atomic_file_remove_on_signals();
    int descriptor = -1;
    for (int i = 0; descriptor < 0 && i < ATTEMPTS; i++) {
        snprintf(temporary + folder, sizeof temporary - folder, ".mtcnn-%ld-%d.tmp", (long)getpid(),
                 i);
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor < 0 && errno != EEXIST)
            break;
    }
    if (descriptor < 0)
        return atomic_file_fail(message, errno);
    temporary_exists = 1;
    file->stream = fdopen(descriptor, "wb");
    if (!file->stream) {
        int cause = errno;
        close(descriptor);
        atomic_file_abandon(file);
        return atomic_file_fail(message, cause);
    }
    return 0;
}

void atomic_file_abandon(struct atomic_file *file)
{
    if (file->stream)
        fclose(file->stream);
    file->stream = NULL;
    unlink(temporary);
    temporary_exists = 0;
}

int atomic_file_commit(struct atomic_file *file, struct message *message)
{
    int cause = 0;
    if (ferror(file->stream) || fflush(file->stream))
        cause = errno;
    if (fclose(file->stream) && !cause)
        cause = errno;
    file->stream = NULL;
    if (!cause && rename(temporary, file->path))
        cause = errno;
    if (cause) {
        atomic_file_abandon(file);
        return atomic_file_fail(message, cause);
    }
    temporary_exists = 0;
    return 0;
}
