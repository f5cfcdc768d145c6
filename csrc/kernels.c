#include "kernels.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

int mt_kernels_all(const mt_kernels *list[MT_MAX_KERNELS])
{
    int count = 0;
    list[count++] = &mt_kernels_c;
    list[count++] = &mt_kernels_128;
#if defined(MT_HAVE_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        list[count++] = &mt_kernels_avx2;
#endif
#if defined(MT_HAVE_AVX512)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma"))
        list[count++] = &mt_kernels_avx512;
#endif
    return count;
}

const mt_kernels *mt_kernels_get(void)
{
    const mt_kernels *list[MT_MAX_KERNELS];
    const int count = mt_kernels_all(list);
    const char *wanted = getenv("MTCNN_CPU");
    if (!wanted || !*wanted)
        return list[count - 1];
    for (int i = 0; i < count; i++)
        if (!strcmp(wanted, list[i]->name))
            return list[i];
    return NULL;
}

int mt_kernels_find(const mt_kernels **kernels, mtcnn_error *error)
{
    *kernels = mt_kernels_get();
    if (*kernels)
        return MTCNN_OK;
    const mt_kernels *list[MT_MAX_KERNELS];
    const int count = mt_kernels_all(list);
    char names[64] = "";
    for (int i = 0; i < count; i++)
        strcat(strcat(names, " "), list[i]->name);
    return mt_fail(
        error, MTCNN_ERROR_ARGUMENT,
        "MTCNN_CPU=%.40s: this processor and build have the kernels%s; name one of them, "
        "or none",
        getenv("MTCNN_CPU"), names);
}
