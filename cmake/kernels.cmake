# The kernels for each instruction set: one file each, with its own flags, chosen when the program runs.
#
# Adds those that the compiler supports to the target mtcnn_objects.

include(CheckCCompilerFlag)

# mtcnn_add_kernels(name FLAG...): csrc/kernels_<name>.c with flags, and MT_HAVE_<NAME> for kernels.c
function(mtcnn_add_kernels name)
    string(TOUPPER ${name} NAME)
    string(REPLACE ";" " " flags "${ARGN}")
    check_c_compiler_flag("${flags}" MTCNN_COMPILER_HAS_${NAME})
    if(MTCNN_COMPILER_HAS_${NAME})
        target_sources(mtcnn_objects PRIVATE csrc/kernels_${name}.c)
        set_source_files_properties(csrc/kernels_${name}.c PROPERTIES
            COMPILE_OPTIONS "${ARGN}")
        target_compile_definitions(mtcnn_objects PRIVATE MT_HAVE_${NAME})
    endif()
endfunction()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64|i[3-6]86)$")
    mtcnn_add_kernels(avx2 -mavx2 -mfma)
    mtcnn_add_kernels(avx512 -mavx512f -mfma -mprefer-vector-width=512)
endif()
