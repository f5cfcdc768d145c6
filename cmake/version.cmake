# Reads the version from the public header, its one definition. Sets
#   MTCNN_VERSION    major.minor.patch
#   MTCNN_SOVERSION  the part of it in the soname: the header says why

set(header "${CMAKE_CURRENT_LIST_DIR}/../csrc/include/mtcnn.h")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
foreach(part MAJOR MINOR PATCH)
    file(STRINGS "${header}" line REGEX "^#define MTCNN_VERSION_${part} [0-9]+$")
    string(REGEX REPLACE ".* " "" ${part} "${line}")
endforeach()
set(MTCNN_VERSION "${MAJOR}.${MINOR}.${PATCH}")
set(MTCNN_SOVERSION "${MAJOR}")
if(MAJOR EQUAL 0)
    set(MTCNN_SOVERSION "${MAJOR}.${MINOR}")
endif()
