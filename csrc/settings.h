/* settings.h: what the core makes of the public table of settings (mtcnn.h, "settings"). */
#ifndef MT_SETTINGS_H
#define MT_SETTINGS_H

#include "mtcnn.h"

/* Gives every member of the owner's struct that has a default that default. */
void mt_settings_default(mtcnn_setting_owner owner, void *values);

/* Checks the owner's struct; MTCNN_ERROR_ARGUMENT names the first member that is out of range. */
int mt_settings_check(mtcnn_setting_owner owner, const void *values, mtcnn_error *error);

#endif
