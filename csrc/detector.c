/* The public functions of a detector: making it, checking what it is given, freeing it. */
#include <stdlib.h>
#include <string.h>

#include "cascade.h"
#include "error.h"
#include "image.h"
#include "reserved.h"
#include "settings.h"

int mtcnn_detector_create(mtcnn_detector **result, const mtcnn_model *model,
                          const mtcnn_options *options, mtcnn_error *error)
{
    mt_clear(error);
    if (result)
        *result = NULL;
    if (!result || !model)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "mtcnn_detector_create: detector or model is NULL");
    if (!options)
        options = &model->options;
    int status = mt_check_reserved(options->reserved, sizeof options->reserved, "mtcnn_options",
                                   "mtcnn_model_options", error);
    if (!status)
        status = mt_settings_check(MTCNN_OF_DETECTOR, options, error);
    if (status)
        return status;

    mtcnn_detector *detector = calloc(1, sizeof *detector);
    if (!detector)
        return mt_fail_memory(error, "a detector", sizeof *detector);
    detector->model = model;
    detector->options = *options;
    detector->lanes = calloc((size_t)options->threads, sizeof *detector->lanes);
    if (!detector->lanes)
        status = mt_fail_memory(error, "a detector",
                                (size_t)options->threads * sizeof *detector->lanes);
    if (!status)
        status = mt_pool_create(&detector->pool, options->threads, error);
    if (status)
        mtcnn_detector_free(&detector);
    *result = detector;
    return status;
}

void mtcnn_detector_free(mtcnn_detector **result)
{
    if (!result || !*result)
        return;
    mtcnn_detector *detector = *result;
    mt_forget_torn(detector);
    mt_pool_free(&detector->pool);
    for (int i = 0; detector->lanes && i < detector->options.threads; i++)
        mt_lane_free(&detector->lanes[i]);
    free(detector->lanes);
    mt_buffers_release(detector->buffers, MT_DETECTOR_BUFFERS);
    free(detector);
    *result = NULL;
}

size_t mtcnn_detector_memory(const mtcnn_detector *detector)
{
    size_t bytes = mt_buffers_bytes(detector->buffers, MT_DETECTOR_BUFFERS);
    for (int i = 0; i < detector->options.threads; i++)
        bytes += mt_lane_bytes(&detector->lanes[i]);
    return bytes;
}

int mtcnn_detect(mtcnn_detector *detector, const mtcnn_image *image, mtcnn_result *result,
                 mtcnn_error *error)
{
    mt_clear(error);
    if (result)
        memset(result, 0, sizeof *result);
    if (!detector || !result)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "mtcnn_detect: detector or result is NULL");
    int status = mt_check_image(image, error);
    if (!status)
        status = mt_cascade_run(detector, image, true, NULL, result, error);
    if (status)
        memset(result, 0, sizeof *result);
    return status;
}
