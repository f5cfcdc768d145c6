#include <mtcnn.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    int width, height;
    if (scanf("P6 %d %d 255", &width, &height) != 2 || getchar() == EOF || width < 1 || height < 1)
        return 1;
    size_t row = 3 * (size_t)width;
    unsigned char *pixels = malloc(row * height);
    if (!pixels || fread(pixels, row, height, stdin) != (size_t)height)
        return 1;
    mtcnn_image image = {pixels, width, height, (ptrdiff_t)row, MTCNN_RGB};
    mtcnn_model *model = NULL;
    mtcnn_detector *detector = NULL;
    mtcnn_options options;
    mtcnn_result result;
    mtcnn_error error;
    int status = mtcnn_model_load(&model, NULL, &error); /* NULL: the model built in */
    if (status == MTCNN_OK) {
        mtcnn_model_options(model, &options); /* the model's own settings, */
        options.min_face = 40;                /* except this one */
        status = mtcnn_detector_create(&detector, model, &options, &error);
    }
    if (status == MTCNN_OK)
        status = mtcnn_detect(detector, &image, &result, &error);
    if (status != MTCNN_OK)
        fprintf(stderr, "%s\n", error.message);
    for (int i = 0; status == MTCNN_OK && i < result.count; i++) {
        const mtcnn_face *face = &result.faces[i];
        printf("%.1f %.1f %.1f %.1f  %.3f  left eye %.1f %.1f\n", face->box[0], face->box[1],
               face->box[2], face->box[3], face->score, face->landmarks[0], face->landmarks[1]);
    }
    mtcnn_detector_free(&detector);
    mtcnn_model_free(&model);
    free(pixels);
    return status != MTCNN_OK;
}
