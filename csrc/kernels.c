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

int mt_kernels_choose(const mt_kernels **kernels, mtcnn_error *error)
{
    const mt_kernels *list[MT_MAX_KERNELS];
    const int count = mt_kernels_all(list);
    const char *wanted = getenv("MTCNN_CPU");
    *kernels = list[count - 1];
    if (!wanted || !*wanted)
        return MTCNN_OK;
    char names[64] = "";
    for (int i = 0; i < count; i++) {
        *kernels = list[i];
        if (!strcmp(wanted, list[i]->name))
            return MTCNN_OK;
        mt_list_name(names, sizeof names, list[i]->name);
    }
    *kernels = NULL;
    return mt_fail(
        error, MTCNN_ERROR_ARGUMENT,
        "MTCNN_CPU=%.40s: this processor and build have the kernels%s; name one of them, "
        "or none",
        wanted, names);
}
