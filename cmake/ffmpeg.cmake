# Finds FFmpeg's headers. The libraries are loaded when the program first needs them
# (csrc/program/ffmpeg.c), in the major versions that the headers name. Sets
#   MTCNN_FFMPEG               whether the program has video and more formats of pictures
#   MTCNN_FFMPEG_INCLUDE_DIRS  the folders of the headers

set(MTCNN_FFMPEG OFF)
set(MTCNN_FFMPEG_INCLUDE_DIRS "")
if(NOT MTCNN_PROGRAM_FFMPEG STREQUAL "AUTO" AND NOT MTCNN_PROGRAM_FFMPEG)
    return()
endif()

set(MTCNN_FFMPEG ON)
foreach(library avcodec avformat avutil swscale)
    find_path(MTCNN_${library}_INCLUDE_DIR lib${library}/${library}.h PATH_SUFFIXES ffmpeg)
    mark_as_advanced(MTCNN_${library}_INCLUDE_DIR)
    if(MTCNN_${library}_INCLUDE_DIR)
        list(APPEND MTCNN_FFMPEG_INCLUDE_DIRS ${MTCNN_${library}_INCLUDE_DIR})
    else()
        set(MTCNN_FFMPEG OFF)
    endif()
endforeach()
list(REMOVE_DUPLICATES MTCNN_FFMPEG_INCLUDE_DIRS)
