# find_package(mtcnn): mtcnn::mtcnn is the shared library, mtcnn::mtcnn_static the static one, which
# needs threads.
include(CMakeFindDependencyMacro)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/mtcnnTargets.cmake)
