# OpenBLAS multiplies matrices for networks of an unusual form. csrc/gemm.c declares what it calls, and
# loads the library when such a network is loaded: it need not be there to build. Sets
#   MTCNN_BLAS_DEFINITION  for gemm.c: the names by which it looks for the library, or that it is linked;
#                          empty where OpenBLAS is left out
#   MTCNN_BLAS_LIBRARIES   what to link: the static library, or the one that loads the shared one

mtcnn_choice(MTCNN_BLAS "OpenBLAS, for networks of an unusual form")

set(MTCNN_BLAS_DEFINITION "")
set(MTCNN_BLAS_LIBRARIES "")
if(NOT MTCNN_BLAS STREQUAL "AUTO" AND NOT MTCNN_BLAS)
    mtcnn_sum_up(OpenBLAS "no (MTCNN_BLAS=OFF)")
    return()
endif()

find_library(MTCNN_OPENBLAS_LIBRARY openblas)
mark_as_advanced(MTCNN_OPENBLAS_LIBRARY)
if(NOT MTCNN_OPENBLAS_LIBRARY)
    mtcnn_missing(MTCNN_BLAS OpenBLAS libopenblas-dev)
endif()

if(MTCNN_OPENBLAS_LIBRARY MATCHES "\\.a$")
    set(MTCNN_BLAS_DEFINITION MTCNN_OPENBLAS_LINKED)
    set(MTCNN_BLAS_LIBRARIES ${MTCNN_OPENBLAS_LIBRARY})
    mtcnn_sum_up(OpenBLAS "${MTCNN_OPENBLAS_LIBRARY}, linked")
    return()
endif()

# As Debian, Fedora, Arch and others call it, Fedora's with threads, Alpine, and a build of its own;
# before these, the one found here, unless the system finds that itself.
set(names libopenblas.so.0 libopenblasp.so.0 libopenblas.so.3 libopenblas.so)
get_filename_component(folder "${MTCNN_OPENBLAS_LIBRARY}" DIRECTORY)
if(MTCNN_OPENBLAS_LIBRARY AND NOT folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
    list(INSERT names 0 "${MTCNN_OPENBLAS_LIBRARY}")
endif()
list(GET names 0 first)
string(REPLACE ";" "\",\"" names "${names}")
set(MTCNN_BLAS_DEFINITION "MTCNN_OPENBLAS=\"${names}\"")
set(MTCNN_BLAS_LIBRARIES ${CMAKE_DL_LIBS})
if(NOT MTCNN_OPENBLAS_LIBRARY)
    set(first "not found here")
endif()
mtcnn_sum_up(OpenBLAS "${first}, loaded when a network needs it")
