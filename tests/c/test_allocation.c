/* In the steady state a detector asks for no memory: the linker sends every request through here. */
#include "random_model.h"

static long requests;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *data, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *data, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    requests++;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    requests++;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *data, size_t bytes)
{
    requests++;
    return __real_realloc(data, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    requests++;
    return __real_aligned_alloc(alignment, bytes);
}

int main(void)
{
    enum { W = 320, H = 240 };
    mtcnn_model *model = random_model(0.5);
    mtcnn_detector *detector = NULL;
    mtcnn_result result;
    uint8_t *pixels = random_pixels(3 * W * H);
    const mtcnn_image large = {pixels, W, H, 3 * W, MTCNN_RGB};
    const mtcnn_image small = {pixels, W / 2, H / 2, 3 * W, MTCNN_RGB};
    REQUIRE(!mtcnn_detector_create(&detector, model, NULL, NULL));
    CHECK(requests > 0); /* or nothing is counted */
    CHECK(!mtcnn_detect(detector, &large, &result, NULL));
    CHECK(result.count > 0);
    const long before = requests;
    for (int i = 0; i < 3; i++) {
        CHECK(!mtcnn_detect(detector, &small, &result, NULL));
        CHECK(!mtcnn_detect(detector, &large, &result, NULL));
    }
    CHECK(requests == before);
    printf("%ld requests to start, %ld in the steady state\n", before, requests - before);
    mtcnn_detector_free(&detector);
    mtcnn_model_free(&model);
    free(pixels);
    remove_random_model();
    return test_end();
}
