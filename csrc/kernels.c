#include "kernels.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#if defined(MT_HAVE_NEON) && !defined(__ARM_NEON)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "error.h"

#if defined(MT_HAVE_NEON)
static bool has_neon(void)
{
#if defined(__ARM_NEON) /* all that this code runs on */
    return true;
#else
    return getauxval(AT_HWCAP) & HWCAP_NEON;
#endif
}
#endif

int mt_kernels_all(const mt_kernels *list[MT_MAX_KERNELS])
{
    int count = 0;
    list[count++] = &mt_kernels_c;
#if defined(MT_HAVE_VECTOR)
    list[count++] = &mt_kernels_vector;
#endif
#if defined(MT_HAVE_NEON)
    if (has_neon())
        list[count++] = &mt_kernels_neon;
#endif
#if defined(MT_HAVE_SSE2)
    list[count++] = &mt_kernels_sse2;
#endif
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
