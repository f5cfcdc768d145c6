/* random_model.h: a model for tests that need no real faces: our networks, random weights. */
#ifndef TEST_RANDOM_MODEL_H
#define TEST_RANDOM_MODEL_H

#include "cfg_folder.h" /* made by CMake: CFG_FOLDER */
#include "network.h"
#include "test.h"

/* Weights scaled by each layer's inputs, so that signals neither vanish nor saturate; no biases. */
static void write_random_weights(const char *name, uint64_t *state)
{
    char cfg[1024], path[64];
    mtcnn_network *network = NULL;
    snprintf(cfg, sizeof cfg, "%s/%s.cfg", CFG_FOLDER, name);
    snprintf(path, sizeof path, "test_%s.weights", name);
    REQUIRE(!mtcnn_network_load(&network, cfg, NULL, NULL));
    FILE *file = fopen(path, "wb");
    REQUIRE(file);
    const int32_t header[5] = {0, 2, 0, 0, 0};
    fwrite(header, 1, sizeof header, file);
    for (int i = 0; i < network->layer_count; i++) {
        const mt_layer *layer = &network->layers[i];
        if (layer->type != &mt_convolutional)
            continue;
        const int outputs = layer->out.channels;
        const size_t inputs = layer->type->weight_count(layer) / (size_t)outputs - 1;
        /* Heads of box and landmarks move little. */
        const float gain = layer->activation == MT_LINEAR ? 0.3f : 1.7f;
        for (size_t j = 0; j < (size_t)outputs * (1 + inputs); j++) {
            const float weight = j < (size_t)outputs ? 0.0f
                                                     : gain * sqrtf(3.0f / (float)inputs) *
                                                           test_random_float(state);
            fwrite(&weight, 1, 4, file);
        }
    }
    REQUIRE(!fclose(file));
    mtcnn_network_free(&network);
}

/* Our three networks with weights that never change; boxes pass all stages at thresholds of 0.5. */
static mtcnn_model *random_model(double threshold)
{
    uint64_t state = 21;
    char data[4096];
    write_random_weights("pnet", &state);
    write_random_weights("rnet", &state);
    write_random_weights("onet", &state);
    snprintf(data, sizeof data,
             "pnet_cfg = %s/pnet.cfg\npnet_weights = test_pnet.weights\n"
             "rnet_cfg = %s/rnet.cfg\nrnet_weights = test_rnet.weights\n"
             "onet_cfg = %s/onet.cfg\nonet_weights = test_onet.weights\n"
             "thresholds = %g, %g, %g\nmin_face = 20\nscale_factor = 0.709\n"
             "nms = 0.5, 0.7, 0.7, 0.7\nmax_boxes = 65536, 16384, 16384\n"
             "mean = 127.5\nnorm = 0.0078125\ncolor = RGB\npad = 0\n",
             CFG_FOLDER, CFG_FOLDER, CFG_FOLDER, threshold, threshold, threshold);
    test_write_text("test_model.data", data);
    mtcnn_model *model = NULL;
    mtcnn_error error;
    int status = mtcnn_model_load(&model, "test_model.data", &error);
    if (status)
        fprintf(stderr, "%s\n", error.message);
    REQUIRE(!status);
    return model;
}

static uint8_t *random_pixels(size_t bytes)
{
    uint64_t state = 22;
    uint8_t *pixels = malloc(bytes);
    REQUIRE(pixels);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)test_random(&state);
    return pixels;
}

static void remove_random_model(void)
{
    remove("test_model.data");
    remove("test_pnet.weights");
    remove("test_rnet.weights");
    remove("test_onet.weights");
}

#endif
