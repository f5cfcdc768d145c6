/* Kernels are chosen when a model is loaded, which keeps them; crops choose at each call. */
#define _POSIX_C_SOURCE 200809L /* setenv */
#include "model.h"
#include "random_model.h"

static mtcnn_error error;

static void names_choose(void)
{
    const mt_kernels *list[MT_MAX_KERNELS], *chosen;
    const int count = mt_kernels_all(list);
    for (int i = 0; i < count; i++) {
        setenv("MTCNN_CPU", list[i]->name, 1);
        CHECK(!mt_kernels_choose(&chosen, &error) && chosen == list[i]);
    }
    setenv("MTCNN_CPU", "", 1);
    CHECK(!mt_kernels_choose(&chosen, &error) && chosen == list[count - 1]);
    unsetenv("MTCNN_CPU");
    CHECK(!mt_kernels_choose(&chosen, &error) && chosen == list[count - 1]);
    setenv("MTCNN_CPU", "abacus", 1);
    CHECK(mt_kernels_choose(&chosen, &error) == MTCNN_ERROR_ARGUMENT && !chosen);
    CHECK_HOLDS(error.message, "MTCNN_CPU=abacus");
    for (int i = 0; i < count; i++)
        CHECK_HOLDS(error.message, list[i]->name);
}

static void models_keep_their_choice(void)
{
    setenv("MTCNN_CPU", "c", 1);
    mtcnn_model *model = random_model(0.5);
    setenv("MTCNN_CPU", "abacus", 1);
    mtcnn_detector *detector = NULL;
    CHECK(model->kernels == &mt_kernels_c);
    CHECK(!mtcnn_detector_create(&detector, model, NULL, &error));
    mtcnn_detector_free(&detector);
    mtcnn_model_free(&model);
    CHECK(mtcnn_model_load(&model, "test_model.data", &error) == MTCNN_ERROR_ARGUMENT && !model);
    mtcnn_network *network;
    CHECK(mtcnn_network_load(&network, CFG_FOLDER "/pnet.cfg", NULL, &error) ==
          MTCNN_ERROR_ARGUMENT);
    CHECK(!network);
    remove_random_model();
}

static void crops_choose(void)
{
    uint8_t *pixels = random_pixels(3 * 4 * 4);
    const mtcnn_image image = {pixels, 4, 4, 3 * 4, MTCNN_RGB};
    const float box[4] = {0, 0, 4, 4}, points[10] = {1, 1, 3, 1, 2, 2, 1, 3, 3, 3};
    uint8_t crop[3 * 4 * 4];
    setenv("MTCNN_CPU", "abacus", 1);
    CHECK(mtcnn_crop(&image, box, 1, 4, 0, crop, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_align(&image, points, 1, 4, 0, crop, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK_HOLDS(error.message, "MTCNN_CPU=abacus");
    setenv("MTCNN_CPU", "c", 1);
    CHECK(!mtcnn_crop(&image, box, 1, 4, 0, crop, &error));
    CHECK(!mtcnn_align(&image, points, 1, 4, 0, crop, &error));
    free(pixels);
}

int main(void)
{
    names_choose();
    models_keep_their_choice();
    crops_choose();
    return test_end();
}
