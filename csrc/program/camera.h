/* camera.h: the Video4Linux devices that there are. */
#ifndef MTCNN_PROGRAM_CAMERA_H
#define MTCNN_PROGRAM_CAMERA_H

#include "message.h"

#define CAMERA_NAME_SIZE 32

/* The device of camera number, such as /dev/video0. */
void camera_name(char name[CAMERA_NAME_SIZE], int number);

/* Whether the device is there: 0, or -1 with those that are. */
int camera_exists(const char *name, struct message *message);

#endif
