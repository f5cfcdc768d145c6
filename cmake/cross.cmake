# A toolchain of Debian's cross compilers, clang, and QEMU to run what they make:
#
#     cmake --toolchain cmake/cross.cmake -DMTCNN_TRIPLE=aarch64-linux-gnu [-DMTCNN_COMPILER=gcc-14]
#
# The compiler is gcc, gcc-VERSION, clang or clang-VERSION; default: gcc.

set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MTCNN_TRIPLE MTCNN_COMPILER)
if(NOT MTCNN_TRIPLE)
    message(FATAL_ERROR "cross.cmake: name the target, such as -DMTCNN_TRIPLE=aarch64-linux-gnu")
endif()
if(NOT MTCNN_COMPILER)
    set(MTCNN_COMPILER gcc)
endif()

set(CMAKE_SYSTEM_NAME Linux)
string(REGEX REPLACE "-.*" "" CMAKE_SYSTEM_PROCESSOR "${MTCNN_TRIPLE}")
if(MTCNN_COMPILER MATCHES "^clang")
    set(CMAKE_C_COMPILER ${MTCNN_COMPILER})
    set(CMAKE_C_COMPILER_TARGET ${MTCNN_TRIPLE})
    set(CMAKE_ASM_COMPILER ${MTCNN_COMPILER})
    set(CMAKE_ASM_COMPILER_TARGET ${MTCNN_TRIPLE})
else()
    set(CMAKE_C_COMPILER ${MTCNN_TRIPLE}-${MTCNN_COMPILER})
endif()

# x86 runs x86; for all others the emulator of this processor.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|i[3-6]86)$")
    find_program(MTCNN_QEMU NAMES qemu-${CMAKE_SYSTEM_PROCESSOR}-static qemu-${CMAKE_SYSTEM_PROCESSOR})
    if(MTCNN_QEMU)
        set(CMAKE_CROSSCOMPILING_EMULATOR ${MTCNN_QEMU} -L /usr/${MTCNN_TRIPLE})
    endif()
endif()
