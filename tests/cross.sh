#!/usr/bin/env bash
# Builds for another processor, runs the C tests in QEMU, and compares the faces with ./mtcnn's.
set -euo pipefail

if [ $# = 0 ] || [[ $1 == -* ]]; then
    cat <<'END_OF_USAGE'
usage: tests/cross.sh TRIPLE [COMPILER [CTEST OPTION...]]

  TRIPLE     aarch64-linux-gnu, arm-linux-gnueabihf, riscv64-linux-gnu, i686-linux-gnu, x86_64-linux-gnu
  COMPILER   gcc, gcc-VERSION, clang or clang-VERSION; default: gcc

Needs ./mtcnn of this machine (make_install.sh) and, on Debian for aarch64-linux-gnu:
  dpkg --add-architecture arm64 && apt-get update
  apt-get install gcc-aarch64-linux-gnu qemu-user-static libc6-dev:arm64 libjpeg-dev:arm64
END_OF_USAGE
    [ "${1:-}" = --help ] && exit 0
    exit 2
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tests=("${@:3}")
triple=$1 compiler=${2:-gcc} build=build/cross/$1-${2:-gcc}
pictures=(tests/data/*.jpg)
program=$triple-$compiler
if [[ $compiler == clang* ]]; then program=$compiler; fi
for need in "$program" cmake ./mtcnn; do
    command -v "$need" >/dev/null || {
        echo "tests/cross.sh: $need was not found; --help says what is needed" >&2
        exit 1
    }
done

cmake -S . -B "$build" -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/cross.cmake" \
    -DMTCNN_TRIPLE="$triple" -DMTCNN_COMPILER="$compiler" -DMTCNN_BUILD_TESTS=ON \
    -DMTCNN_BLAS=OFF -DMTCNN_PROGRAM_JPEG=ON -DMTCNN_PROGRAM_PNG=OFF -DMTCNN_PROGRAM_FFMPEG=OFF
cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)"
(cd "$build" && ctest --output-on-failure ${tests[@]+"${tests[@]}"})

# The emulator's command line, as CMake knows it.
mapfile -t emulator < <(sed -n 's/^MTCNN_QEMU:[^=]*=//p' "$build/CMakeCache.txt")
if [ ${#emulator[@]} = 1 ]; then emulator+=(-L "/usr/$triple"); fi
./mtcnn "${pictures[@]}" >"$build/faces.here"
"${emulator[@]}" "$build/mtcnn" "${pictures[@]}" >"$build/faces.there"

# Box, score and landmarks of each face: the same picture, and numbers to a tenth of a pixel.
paste "$build/faces.here" "$build/faces.there" | awk -F '\t' -v name="$triple $compiler" '
    {
        split($2, here, " ")
        split($4, there, " ")
        if ($1 != $3) { print "other pictures: " $0; failed = 1; exit 1 }
        for (i = 1; i <= 15; i++) {
            difference = here[i] - there[i]
            if (difference < 0) difference = -difference
            if (difference > largest) largest = difference
        }
    }
    END {
        if (failed || !NR || largest > 0.1) { print name ": other faces"; exit 1 }
        printf "%s: the same %d faces, largest difference %.2f pixels\n", name, NR, largest
    }'
