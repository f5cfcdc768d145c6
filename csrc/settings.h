/* settings.h: what the core makes of the public table of settings (mtcnn.h, "settings"). */
#ifndef MT_SETTINGS_H
#define MT_SETTINGS_H

#include "mtcnn.h"

/* Gives every member of the owner's struct that has a default that default. */
void mt_settings_default(mtcnn_setting_owner owner, void *values);

/* Checks the owner's struct; MTCNN_ERROR_ARGUMENT names the first member that is out of range. */
int mt_settings_check(mtcnn_setting_owner owner, const void *values, mtcnn_error *error);

/* The index-th value of a setting in its owner's struct. */
double mt_setting_value(const mtcnn_setting *setting, const void *values, int index);

/* All its values as text: "0.6,0.5,0.7". */
void mt_setting_write(const mtcnn_setting *setting, const void *values, char *text, size_t size);

#endif
