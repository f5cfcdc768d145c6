#include "ffmpeg.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---- loading --------------------------------------------------------------------------------- */

struct ffmpeg ffmpeg;

enum { UTIL, CODEC, SCALE, FORMAT, DEVICE, LIBRARY_COUNT };

/* Structures that we share with a library keep their form within its major version. */
static const struct {
    const char *name;
    int major; /* of the headers that this file was compiled with */
} libraries[LIBRARY_COUNT] = {
    [UTIL] = {"avutil", LIBAVUTIL_VERSION_MAJOR},
    [CODEC] = {"avcodec", LIBAVCODEC_VERSION_MAJOR},
    [SCALE] = {"swscale", LIBSWSCALE_VERSION_MAJOR},
    [FORMAT] = {"avformat", LIBAVFORMAT_VERSION_MAJOR},
    [DEVICE] = {"avdevice", LIBAVFORMAT_VERSION_MAJOR}, /* they have always gone together */
};

static const int last_library[] = {
    [FFMPEG_PICTURES] = SCALE, [FFMPEG_VIDEOS] = FORMAT, [FFMPEG_CAMERAS] = DEVICE};

static const struct {
    int library;
    const char *name;
    size_t offset; /* in struct ffmpeg */
} functions[] = {
#define FUNCTION(library, name) {library, #name, offsetof(struct ffmpeg, name)},
#include "ffmpeg_functions.def"
#undef FUNCTION
};

/* Never unloaded: their threads may not outlive their code. */
static int load(int library, struct message *message)
{
    char file[32];
#ifdef __APPLE__
    snprintf(file, sizeof file, "lib%s.%d.dylib", libraries[library].name,
             libraries[library].major);
#else
    snprintf(file, sizeof file, "lib%s.so.%d", libraries[library].name, libraries[library].major);
#endif
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    bool complete = handle;
    for (size_t i = 0; complete && i < sizeof functions / sizeof *functions; i++) {
        if (functions[i].library != library)
            continue;
        void *symbol = dlsym(handle, functions[i].name);
        complete = symbol;
        memcpy((char *)&ffmpeg + functions[i].offset, &symbol, sizeof symbol);
    }
    if (complete)
        return 0;
    const char *reason = dlerror();
    return message_set(message,
                       "needs FFmpeg's %s, which cannot be loaded (%s); install it (Debian, "
                       "Ubuntu: lib%s%d)",
                       file, reason ? reason : "unknown cause", libraries[library].name,
                       libraries[library].major);
}

/* ---- what FFmpeg logs ------------------------------------------------------------------------ */

/* The last error's line. What a decoder's own threads log is lost, but not that they fail. */
static _Thread_local char logged[128];

static void on_log(void *context, int level, const char *format, va_list args)
{
    (void)context;
    if (level > AV_LOG_ERROR)
        return;
    vsnprintf(logged, sizeof logged, format, args);
    logged[strcspn(logged, "\n")] = '\0';
}

void ffmpeg_cause(struct message *message, int code)
{
    char text[AV_ERROR_MAX_STRING_SIZE];
    ffmpeg.av_strerror(code, text, sizeof text);
    bool more = logged[0];
    message_set(message, "%s%s%s%s", text, more ? " (" : "", logged, more ? ")" : "");
    logged[0] = '\0';
}

int ffmpeg_fail(struct message *message, const char *task, int code)
{
    struct message cause;
    ffmpeg_cause(&cause, code);
    return message_set(message, "%s: %.400s", task, cause.text);
}

bool ffmpeg_logged(void)
{
    return logged[0];
}

bool ffmpeg_log_has(const char *words)
{
    return strstr(logged, words);
}

void ffmpeg_forget(void)
{
    logged[0] = '\0';
}

/* ---- both ------------------------------------------------------------------------------------ */

int ffmpeg_load(enum ffmpeg_use use, struct message *message)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* pictures are read side by side */
    static int loaded;
    int failed = 0;
    pthread_mutex_lock(&mutex);
    while (loaded <= last_library[use] && !(failed = load(loaded, message))) {
        if (loaded == UTIL)
            ffmpeg.av_log_set_callback(on_log);
        if (loaded == DEVICE)
            ffmpeg.avdevice_register_all();
        loaded++;
    }
    pthread_mutex_unlock(&mutex);
    return failed;
}
