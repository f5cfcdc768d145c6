# Compiles the files of the model that MTCNN_MODEL names into the library, byte for byte.
#
# Sets MTCNN_BUILTIN_SOURCES: a table of the files (csrc/file.h, mt_builtin_files) and an assembly
# file whose .incbin lines hold them. With MTCNN_MODEL=OFF the table is empty.

set(MTCNN_BUILTIN_FILES "")
get_filename_component(model_file "${MTCNN_MODEL}" ABSOLUTE BASE_DIR "${PROJECT_SOURCE_DIR}")
if(MTCNN_MODEL AND EXISTS "${model_file}")
    get_filename_component(model_folder "${model_file}" DIRECTORY)
    get_filename_component(model_name "${model_file}" NAME)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${model_file}")
    set(MTCNN_BUILTIN_FILES "${model_name}")
    set(MTCNN_BUILTIN_PATHS "${model_file}")
    file(STRINGS "${model_file}" lines REGEX "^[ \t]*[pro]net_(cfg|weights)[ \t]*=")
    foreach(line IN LISTS lines)
        string(REGEX REPLACE "^[^=]*=[ \t]*" "" name "${line}")
        string(STRIP "${name}" name)
        list(APPEND MTCNN_BUILTIN_FILES "${name}")
        get_filename_component(path "${name}" ABSOLUTE BASE_DIR "${model_folder}")
        list(APPEND MTCNN_BUILTIN_PATHS "${path}")
        if(name MATCHES "[\"\\]")
            message(FATAL_ERROR "${model_file}: ${name}: a name with quotes or backslashes")
        endif()
        if(NOT EXISTS "${path}")
            message(FATAL_ERROR "${model_file} names ${path}, which does not exist; "
                "add it, name another model with MTCNN_MODEL, or set that to OFF")
        endif()
    endforeach()
elseif(MTCNN_MODEL)
    message(FATAL_ERROR "MTCNN_MODEL=${MTCNN_MODEL}: no such file; name a .data file, or OFF")
endif()

set(table "")
set(declarations "")
set(assembly "")
set(MTCNN_BUILTIN_SOURCES "${PROJECT_BINARY_DIR}/builtin_model.c")
if(MTCNN_BUILTIN_FILES)
    mtcnn_sum_up(model "${model_file}")
    set(number 0)
    foreach(name path IN ZIP_LISTS MTCNN_BUILTIN_FILES MTCNN_BUILTIN_PATHS)
        set(symbol "mt_builtin_${number}")
        string(APPEND declarations
            "extern const unsigned char ${symbol}_begin[], ${symbol}_end[];\n")
        string(APPEND table "    {\"${name}\", ${symbol}_begin, ${symbol}_end},\n")
        string(APPEND assembly
            "    .global ${symbol}_begin, ${symbol}_end\n"
            "    .hidden ${symbol}_begin\n    .hidden ${symbol}_end\n"
            "    .balign 16\n${symbol}_begin:\n"
            "    .incbin \"${path}\"\n${symbol}_end:\n    .byte 0\n")
        set_property(SOURCE "${PROJECT_BINARY_DIR}/builtin_model.S" APPEND PROPERTY
            OBJECT_DEPENDS "${path}")
        math(EXPR number "${number} + 1")
    endforeach()
    configure_file(${CMAKE_CURRENT_LIST_DIR}/builtin_model.S.in builtin_model.S @ONLY)
    list(APPEND MTCNN_BUILTIN_SOURCES "${PROJECT_BINARY_DIR}/builtin_model.S")
else()
    mtcnn_sum_up(model "none (MTCNN_MODEL=OFF)")
endif()

configure_file(${CMAKE_CURRENT_LIST_DIR}/builtin_model.c.in builtin_model.c @ONLY)
