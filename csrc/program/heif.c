/*
 * heif.c: HEIC and AVIF by libheif, which knows phones' tiles and turns pictures as their boxes
 * say. It is loaded when such a picture comes, and declared here as far as it is used: its
 * interface has stayed the same since version 1.0, and its headers are rarely installed.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "codec.h"

#ifdef __APPLE__
#define LIBRARY "libheif.1.dylib"
#else
#define LIBRARY "libheif.so.1"
#endif

struct heif_error {
    int code, subcode;
    const char *message;
};
struct heif_security_limits { /* its first members */
    uint8_t version;
    uint64_t max_image_size_pixels;
};
enum { COLORSPACE_RGB = 1, CHROMA_INTERLEAVED_RGB = 10, CHANNEL_INTERLEAVED = 10 };

static struct {
    void *(*context_alloc)(void);
    void (*context_free)(void *context);
    struct heif_error (*context_read_from_memory_without_copy)(void *context, const void *bytes,
                                                               size_t size, const void *options);
    struct heif_error (*context_get_primary_image_handle)(void *context, void **handle);
    void (*image_handle_release)(const void *handle);
    int (*image_handle_get_width)(const void *handle);
    int (*image_handle_get_height)(const void *handle);
    struct heif_error (*decode_image)(const void *handle, void **image, int colorspace, int chroma,
                                      const void *options);
    void (*image_release)(const void *image);
    int (*image_get_width)(const void *image, int channel);
    int (*image_get_height)(const void *image, int channel);
    const uint8_t *(*image_get_plane_readonly)(const void *image, int channel, int *stride);
    struct heif_security_limits *(*context_get_security_limits)(const void *context);
} heif;

/* ---- loading --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void *target; /* the pointer to it */
} functions[] = {
#define FUNCTION(name) \
    { \
        "heif_" #name, &heif.name \
    }
    FUNCTION(context_alloc),
    FUNCTION(context_free),
    FUNCTION(context_read_from_memory_without_copy),
    FUNCTION(context_get_primary_image_handle),
    FUNCTION(image_handle_release),
    FUNCTION(image_handle_get_width),
    FUNCTION(image_handle_get_height),
    FUNCTION(decode_image),
    FUNCTION(image_release),
    FUNCTION(image_get_width),
    FUNCTION(image_get_height),
    FUNCTION(image_get_plane_readonly),
    FUNCTION(context_get_security_limits), /* since 1.19; NULL before */
#undef FUNCTION
};

static bool load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    bool complete = library;
    for (size_t i = 0; complete && i < sizeof functions / sizeof *functions; i++) {
        void *symbol = dlsym(library, functions[i].name);
        complete = symbol || functions[i].target == &heif.context_get_security_limits;
        memcpy(functions[i].target, &symbol, sizeof symbol);
    }
    return complete;
}

static bool is_loaded(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* pictures are read side by side */
    static bool loaded;
    pthread_mutex_lock(&mutex);
    loaded = loaded || load();
    pthread_mutex_unlock(&mutex);
    return loaded;
}

/* ---- decoding -------------------------------------------------------------------------------- */

/* What is freed after a picture. */
struct decoding {
    void *context, *handle, *image;
};

static int fail(struct heif_error error, const char *kind, struct message *message)
{
    return message_set(
        message, "cannot be read as %s: %s; get a whole copy of it, or convert it to JPEG or PNG",
        kind, error.message ? error.message : "unknown cause");
}

static int decode_image(struct decoding *decoding, struct picture *picture, const uint8_t *bytes,
                        size_t size, const char *kind, double megapixels, struct message *message)
{
    decoding->context = heif.context_alloc();
    if (!decoding->context)
        return message_set(message, "no memory for libheif");
    struct heif_error error = heif.context_read_from_memory_without_copy(decoding->context, bytes,
                                                                         size, NULL);
    if (!error.code)
        error = heif.context_get_primary_image_handle(decoding->context, &decoding->handle);
    if (error.code)
        return fail(error, kind, message);
    const int width = heif.image_handle_get_width(decoding->handle);
    const int height = heif.image_handle_get_height(decoding->handle);
    if (width < 0 || height < 0 ||
        picture_check_size((size_t)width, (size_t)height, megapixels, message))
        return -1;
    if (heif.context_get_security_limits) /* for frames that are larger than their boxes say */
        heif.context_get_security_limits(decoding->context)->max_image_size_pixels =
            (uint64_t)(megapixels * 1e6);
    error = heif.decode_image(decoding->handle, &decoding->image, COLORSPACE_RGB,
                              CHROMA_INTERLEAVED_RGB, NULL);
    if (error.code)
        return fail(error, kind, message);
    int stride;
    const uint8_t *pixels = heif.image_get_plane_readonly(decoding->image, CHANNEL_INTERLEAVED,
                                                          &stride);
    if (!pixels || heif.image_get_width(decoding->image, CHANNEL_INTERLEAVED) != width ||
        heif.image_get_height(decoding->image, CHANNEL_INTERLEAVED) != height)
        return message_set(message, "is a damaged %s picture: its size is not as it says", kind);
    if (picture_allocate(picture, (size_t)width, (size_t)height, message))
        return -1;
    for (int y = 0; y < height; y++)
        memcpy(picture->pixels + (size_t)3 * (size_t)width * (size_t)y,
               pixels + (ptrdiff_t)y * stride, (size_t)3 * (size_t)width);
    return 0;
}

static int decode(struct picture *picture, const uint8_t *bytes, size_t size, const char *kind,
                  double megapixels, struct message *message)
{
    if (!is_loaded())
        return message_set(message,
                           "is a %s picture, for which " LIBRARY " is needed; install it (Debian, "
                           "Ubuntu: libheif1), or convert the picture to JPEG or PNG",
                           kind);
    struct decoding decoding = {0};
    int failed = decode_image(&decoding, picture, bytes, size, kind, megapixels, message);
    if (decoding.image)
        heif.image_release(decoding.image);
    if (decoding.handle)
        heif.image_handle_release(decoding.handle);
    if (decoding.context)
        heif.context_free(decoding.context);
    return failed;
}

static int heic_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                       double megapixels, struct message *message)
{
    *orientation = 1; /* libheif turns it; its Exif data repeat what its boxes say */
    return decode(picture, bytes, size, "HEIC", megapixels, message);
}

static int avif_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                       double megapixels, struct message *message)
{
    *orientation = 1;
    return decode(picture, bytes, size, "AVIF", megapixels, message);
}

const struct codec heic_codec = {.kind = "HEIC", .decode = heic_decode};
const struct codec avif_codec = {.kind = "AVIF", .decode = avif_decode};
