# Finds OpenBLAS. Sets
#   CBLAS_INCLUDE_DIR  the folder of cblas.h
#   MTCNN_OPENBLAS     the name by which the core loads the shared library when it first needs it
#                      (csrc/gemm.c); empty where OpenBLAS is a static library
#   MTCNN_BLAS_LIBRARIES  what to link: the static library, or the library that loads the shared one

set(BLA_VENDOR OpenBLAS)
find_package(BLAS)
find_path(CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas openblas-pthread)
if(NOT BLAS_FOUND OR NOT CBLAS_INCLUDE_DIR)
    message(FATAL_ERROR "OpenBLAS was not found. On Debian and Ubuntu: apt-get install libopenblas-dev")
endif()

set(MTCNN_OPENBLAS "")
set(MTCNN_BLAS_LIBRARIES ${BLAS_LIBRARIES})
list(GET BLAS_LIBRARIES 0 openblas)
if(NOT openblas MATCHES "\\.a$")
    set(MTCNN_BLAS_LIBRARIES ${CMAKE_DL_LIBS})
    # Its soname, which a linked program would hold: libopenblas.so itself is for compilers only. The
    # full path if it has none, or if the system does not search that folder for libraries.
    set(MTCNN_OPENBLAS "${openblas}")
    get_filename_component(folder "${openblas}" DIRECTORY)
    if(CMAKE_OBJDUMP)
        execute_process(COMMAND ${CMAKE_OBJDUMP} -p "${openblas}"
            OUTPUT_VARIABLE headers ERROR_QUIET)
        if(headers MATCHES "SONAME +([^ \n]+)")
            set(MTCNN_OPENBLAS "${CMAKE_MATCH_1}")
            if(NOT folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES
               AND EXISTS "${folder}/${MTCNN_OPENBLAS}")
                set(MTCNN_OPENBLAS "${folder}/${MTCNN_OPENBLAS}")
            endif()
        endif()
    endif()
    message(STATUS "OpenBLAS: ${MTCNN_OPENBLAS}, loaded when a network needs it")
endif()
