/*
 * Without OpenBLAS networks for the kernels work, others report what is missing: REASON. CFG is the
 * file to write.
 */
#include "mtcnn.h"
#include "test.h"

#define NET "[net]\nwidth=5\nheight=5\nchannels=1\n"
#define CONV(pad) "[convolutional]\nfilters=1\nsize=3\nstride=1\npad=" #pad "\nactivation=linear\n"
#define ROUTE "[route]\nlayers=-1\n"

static int load(const char *cfg, mtcnn_network **network, mtcnn_error *error)
{
    test_write_text(CFG, cfg);
    return mtcnn_network_load(network, CFG, NULL, error);
}

int main(void)
{
    mtcnn_network *network = NULL;
    mtcnn_error error;
    const float input[25] = {1.0f};
    float output[1] = {1};

    for (int i = 0; i < 2; i++) {
        CHECK(load(NET CONV(1) CONV(0) ROUTE, &network, &error) == MTCNN_ERROR_FILE && !network);
        CHECK_HOLDS(error.message, "needs OpenBLAS");
        CHECK_HOLDS(error.message, REASON);
    }
    CHECK(load(NET CONV(1) CONV(0) ROUTE, &network, NULL) == MTCNN_ERROR_FILE);

    REQUIRE(!load(NET CONV(0) CONV(0) ROUTE, &network, &error));
    CHECK(!mtcnn_network_run(network, input, 1, 5, 5, output, 1, &error));
    CHECK(output[0] == 0.0f); /* without a weights file all are zero */
    mtcnn_network_free(&network);
    remove(CFG);
    return test_end();
}
