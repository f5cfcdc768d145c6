#include "kernels.h"

#include <stdlib.h>
#include <string.h>

int mt_kernels_all(const mt_kernels *list[MT_MOST_KERNELS])
{
    int count = 0;
    list[count++] = &mt_kernels_c;
    list[count++] = &mt_kernels_128;
#if defined(MT_HAVE_AVX2)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        list[count++] = &mt_kernels_avx2;
#endif
#if defined(MT_HAVE_AVX512)
    if (__builtin_cpu_supports("avx512f"))
        list[count++] = &mt_kernels_avx512;
#endif
    return count;
}

const mt_kernels *mt_kernels_get(void)
{
    const mt_kernels *list[MT_MOST_KERNELS];
    const int count = mt_kernels_all(list);
    const char *wanted = getenv("MTCNN_CPU");
    for (int i = 0; wanted && i < count; i++)
        if (!strcmp(wanted, list[i]->name))
            return list[i];
    return list[count - 1];
}
