# The kernels for each instruction set: one file each, with its own flags, chosen when the program runs.
#
# Adds those that the compiler supports to the target mtcnn_objects. The compiler is asked, not
# CMAKE_SYSTEM_PROCESSOR: 32-bit systems run on 64-bit kernels, too.

set(MTCNN_KERNELS c)

# mtcnn_add_kernels(name SOURCE FLAG...): csrc/kernels_<name>.c with flags, and MT_HAVE_<NAME> for
# kernels.c, if the compiler takes both
function(mtcnn_add_kernels name source)
    string(TOUPPER ${name} NAME)
    mtcnn_compiles(MTCNN_COMPILER_HAS_${NAME} "${source}" ${ARGN})
    if(MTCNN_COMPILER_HAS_${NAME})
        target_sources(mtcnn_objects PRIVATE csrc/kernels_${name}.c)
        set_source_files_properties(csrc/kernels_${name}.c PROPERTIES
            COMPILE_OPTIONS "${ARGN}")
        target_compile_definitions(mtcnn_objects PRIVATE MT_HAVE_${NAME})
        set(MTCNN_KERNELS ${MTCNN_KERNELS} ${name} PARENT_SCOPE)
    endif()
endfunction()

# For those that have none of the sets below; 32-bit ARM need not have NEON. (GCC warns of arguments that
# are vectors, clang of loops that it does not unroll for such processors.)
mtcnn_compiles(MTCNN_BASE_HAS_VECTORS "
#if !defined(__i386__) && !defined(__SSE2__) && !defined(__ARM_NEON)
#error
#endif")
if(NOT MTCNN_BASE_HAS_VECTORS)
    mtcnn_add_kernels(vector "" -Wno-psabi -Wno-pass-failed)
endif()

mtcnn_add_kernels(sse2 "#include <emmintrin.h>" -msse2)
mtcnn_add_kernels(avx2 "#include <immintrin.h>" -mavx2 -mfma)
mtcnn_add_kernels(avx512 "#include <immintrin.h>" -mavx512f -mfma -mprefer-vector-width=512)

# 32-bit NEON makes denormal numbers zero, and GCC uses it for the operators of vectors only if it may:
# that, and no other order of the sums.
set(neon_flags "")
set(neon_headers "#include <arm_neon.h>")
if(NOT MTCNN_BASE_HAS_VECTORS)
    set(neon_flags -mfpu=neon)
    string(APPEND neon_headers "\n#include <sys/auxv.h>") # for kernels.c to ask the system
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_SIZEOF_VOID_P EQUAL 4)
    list(APPEND neon_flags -funsafe-math-optimizations -fno-associative-math -fno-reciprocal-math
        -fsigned-zeros -ftrapping-math)
endif()
mtcnn_add_kernels(neon "${neon_headers}" ${neon_flags})

string(REPLACE ";" " " kernels "${MTCNN_KERNELS}")
mtcnn_sum_up(kernels "${kernels}")
