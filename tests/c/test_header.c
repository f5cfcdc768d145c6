/* Only the public header, which must compile alone, and system headers, which its folder must not
 * hide. */
#include <mtcnn.h>

#ifdef __GLIBC__
#include <error.h>
#include <memory.h>
#include <threads.h>

int (*test_threads)(thrd_t *, thrd_start_t, void *) = thrd_create;
void (*test_error)(int, int, const char *, ...) = error;
void *(*test_memory)(void *, const void *, size_t) = memcpy;
#endif

int (*test_header_c)(mtcnn_detector *, const mtcnn_image *, mtcnn_result *,
                     mtcnn_error *) = mtcnn_detect;
