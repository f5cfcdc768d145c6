# Installs the libraries, the header, and files for find_package(mtcnn) and pkg-config. The installed
# folder can be moved.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set_target_properties(mtcnn_shared PROPERTIES EXPORT_NAME mtcnn)
install(TARGETS mtcnn_static mtcnn_shared
    EXPORT mtcnn
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# ---- CMake -----------------------------------------------------------------------------------------
set(mtcnn_cmake ${CMAKE_INSTALL_LIBDIR}/cmake/mtcnn)
set(mtcnn_files ${PROJECT_BINARY_DIR}/package)
install(EXPORT mtcnn NAMESPACE mtcnn:: FILE mtcnnTargets.cmake DESTINATION ${mtcnn_cmake})
write_basic_package_version_file(${mtcnn_files}/mtcnnConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/mtcnnConfig.cmake ${mtcnn_files}/mtcnnConfigVersion.cmake
    DESTINATION ${mtcnn_cmake})

# ---- pkg-config ------------------------------------------------------------------------------------
set(mtcnn_prefix ${CMAKE_INSTALL_PREFIX})
if(NOT IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
    file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
    string(REGEX REPLACE "/$" "" up "${up}")
    set(mtcnn_prefix "\${pcfiledir}/${up}")
endif()
foreach(folder LIBDIR INCLUDEDIR)
    set(mtcnn_${folder} ${CMAKE_INSTALL_${folder}})
    if(NOT IS_ABSOLUTE ${mtcnn_${folder}})
        set(mtcnn_${folder} "\${prefix}/${mtcnn_${folder}}")
    endif()
endforeach()
set(mtcnn_private "")
foreach(library IN LISTS MTCNN_BLAS_LIBRARIES ITEMS -pthread m)
    if(NOT library MATCHES "^[-/]")
        set(library -l${library})
    endif()
    string(APPEND mtcnn_private " ${library}")
endforeach()
configure_file(${CMAKE_CURRENT_LIST_DIR}/mtcnn.pc.in ${mtcnn_files}/mtcnn.pc @ONLY)
install(FILES ${mtcnn_files}/mtcnn.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
