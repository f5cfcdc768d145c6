# What can be left out is chosen by variables of three values, and summed up at the end.

# mtcnn_choice(NAME TEXT): the variable, AUTO at first, that says whether something is built in
function(mtcnn_choice name text)
    set(${name} AUTO CACHE STRING "${text}: AUTO, ON or OFF")
    set_property(CACHE ${name} PROPERTY STRINGS AUTO ON OFF)
    if(NOT ${name} MATCHES "^(AUTO|ON|OFF|TRUE|FALSE|YES|NO|1|0)$")
        message(FATAL_ERROR "${name}=${${name}}: AUTO, ON or OFF are possible")
    endif()
endfunction()

# mtcnn_missing(NAME WHAT PACKAGES): something was not found, an error if NAME is ON
function(mtcnn_missing name what packages)
    if(NOT ${name} STREQUAL "AUTO")
        message(FATAL_ERROR "${name}=${${name}}, but ${what} was not found. "
            "On Debian and Ubuntu: apt-get install ${packages}")
    endif()
endfunction()

# mtcnn_sum_up(LABEL TEXT...): a line of the summary
function(mtcnn_sum_up label)
    string(CONCAT text ${ARGN})
    string(SUBSTRING "${label}             " 0 14 label)
    set_property(GLOBAL APPEND PROPERTY MTCNN_SUMMARY "  ${label}${text}")
endfunction()

function(mtcnn_print_summary)
    get_property(lines GLOBAL PROPERTY MTCNN_SUMMARY)
    message(STATUS "mtcnn ${PROJECT_VERSION}")
    foreach(line IN LISTS lines)
        message(STATUS "${line}")
    endforeach()
endfunction()
