/* folder.h: folders that are made, and the paths of files in them. */
#ifndef MTCNN_PROGRAM_FOLDER_H
#define MTCNN_PROGRAM_FOLDER_H

/* "folder/name", to be freed; NULL: no memory. */
char *folder_join(const char *folder, const char *name);

/* Makes the folder and those above it where they are missing: 0, or -1 with errno. */
int folder_make(const char *path);

/* The same for the folder that the file at path lies in. */
int folder_make_for(const char *path);

#endif
