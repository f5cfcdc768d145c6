# mtcnn_compiles(VARIABLE SOURCE FLAG...): whether the compiler takes a few lines of C and the flags
include(CheckCSourceCompiles)

function(mtcnn_compiles variable source)
    string(REPLACE ";" " " CMAKE_REQUIRED_FLAGS "${ARGN}")
    set(CMAKE_REQUIRED_QUIET ON)
    check_c_source_compiles("${source}\nint main(void) { return 0; }" ${variable})
endfunction()
