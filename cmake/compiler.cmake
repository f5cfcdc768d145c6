# Ends with one sentence where there is no C compiler, or one without the C library's files: CMake's
# own words have no remedy.
if(CMAKE_HOST_UNIX AND NOT (CMAKE_C_COMPILER OR CMAKE_TOOLCHAIN_FILE))
    separate_arguments(compiler UNIX_COMMAND "$ENV{CC}") # pip sets it, too
    if(NOT compiler)
        find_program(MTCNN_CC NAMES cc gcc clang)
        set(compiler "${MTCNN_CC}")
        unset(MTCNN_CC CACHE)
    endif()
    set(source "${CMAKE_BINARY_DIR}/CMakeFiles/works.c")
    file(WRITE "${source}" "#include <stdio.h>\nint main(void) { return 0; }\n")
    execute_process(COMMAND ${compiler} "${source}" -o "${source}.out"
        RESULT_VARIABLE works OUTPUT_QUIET ERROR_QUIET)
    if(NOT works EQUAL 0)
        message(FATAL_ERROR "no C compiler that works was found; install one (Debian, Ubuntu: "
            "apt-get install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install)")
    endif()
endif()
