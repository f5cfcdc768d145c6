#include "file_identity.h"

#include <sys/stat.h>

bool file_identify(const char *path, struct file_identity *file)
{
    struct stat status;
    if (stat(path, &status))
        return false;
    *file = (struct file_identity){status.st_dev, status.st_ino};
    return true;
}

int file_compare(const void *a, const void *b)
{
    const struct file_identity *x = a, *y = b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

bool same_file(const char *a, const char *b)
{
    struct file_identity x, y;
    return file_identify(a, &x) && file_identify(b, &y) && !file_compare(&x, &y);
}
