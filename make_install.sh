#!/usr/bin/env bash
# Sets the whole project up: system packages, .venv with PyTorch, the C core, the package.
set -euo pipefail

usage() {
    cat <<'END'
usage: bash make_install.sh [--test] [--core]

Sets everything up in the project's folder, from any state; running it again is quick and safe.
  1. missing system packages, with apt where permitted, else it prints what to install
  2. .venv with PyTorch for the CPU
  3. the C core, built into build/, with the program ./mtcnn at the top level
  4. the Python package pymtcnn in .venv, editable, with train_mtcnn, convert and bench
  5. a detection in the bundled pictures

  --core    the C part only, without Python: steps 1, 3 and 5
  --test    then run all tests, whose status it exits with; with --core, the C tests
  --help    print this help

Environment
  PYTHON       the Python to make .venv with, 3.10 or newer; default: python3
  MTCNN_TORCH  the PyTorch to install, as pip names it; default: torch==2.13.0+cpu
END
}

# ---- messages and log -----------------------------------------------------------------------------

say() { printf '==> %s\n' "$*"; }

fail() {
    printf 'make_install.sh: %s\n' "$*" >&2
    exit 1
}

# logged NAME COMMAND...: prints NAME and runs a noisy command, its output into the log.
logged() {
    say "$1"
    printf '\n==> %s\n+ %s\n' "$1" "${*:2}" >>"$LOG"
    "${@:2}" >>"$LOG" 2>&1 </dev/null
}

# step NAME COMMAND...: the same; if it fails, shows the end of the log and stops.
step() {
    logged "$@" && return
    tail -n 25 "$LOG" >&2
    fail "this step failed: $1. The lines above are the end of $PWD/$LOG"
}

# ---- 1. system packages ---------------------------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }

installed() { # any of these Debian packages
    local package
    for package in "$@"; do
        case "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null)" in
        ?i*) return 0 ;;
        esac
    done
    return 1
}

# Prints the Debian packages that are missing. Tools may come from elsewhere.
missing_packages() {
    has cmake || echo cmake
    has "${CC:-cc}" || echo gcc
    has make || has ninja || echo ninja-build
    installed libc6-dev || echo libc6-dev
    installed libjpeg-dev libjpeg62-turbo-dev libjpeg-turbo8-dev || echo libjpeg-dev
    installed libpng-dev || echo libpng-dev
    installed libavformat-dev || echo libavformat-dev # with libavcodec-dev and libavutil-dev
    installed libswscale-dev || echo libswscale-dev
    if [ "$TEST" = yes ]; then
        has "${CXX:-c++}" || echo g++
        has pkg-config || echo pkg-config
    fi
    # Only models with unusual layers need it, and tests.
    if [ "$CORE$TEST" != yesno ]; then installed libopenblas0 || echo libopenblas0; fi
    if [ "$CORE" = yes ]; then return; fi
    if venv_works; then return; fi
    if ! has "$PYTHON"; then
        [ "$PYTHON" != python3 ] || echo python3 python3-venv # another one must be installed by the user
    elif ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
        "$PYTHON" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])'
    fi
}

install_packages() {
    if ! has dpkg-query || ! has apt-get; then
        say "Not Debian or Ubuntu: install these yourself, if they are missing: cmake 3.18 or newer," \
            "a C compiler, make or ninja, libjpeg-turbo and libpng with their headers, for" \
            "video FFmpeg 4.4 or newer with its headers, for models with unusual layers OpenBLAS," \
            "Python 3.10 or newer with venv"
        return
    fi
    local packages sudo=()
    mapfile -t packages < <(missing_packages | tr ' ' '\n')
    if [ ${#packages[@]} = 0 ]; then return; fi
    if [ "$(id -u)" != 0 ]; then
        if ! has sudo || ! sudo -n true 2>/dev/null; then
            fail "some system packages are missing. Install them, then run this again:
    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages[*]}"
        fi
        sudo=(sudo -n)
    fi
    local apt=(${sudo[@]+"${sudo[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get)
    # A failing third-party repository must not stop us: the next step reports what is wrong.
    logged "Updating the list of system packages" "${apt[@]}" update || true
    step "Installing system packages: ${packages[*]}" \
        "${apt[@]}" install -y --no-install-recommends "${packages[@]}"
}

# ---- 2. Python ------------------------------------------------------------------------------------

venv_works() { # and was made where it is: its scripts hold its path
    grep -qF "$PWD/.venv" .venv/bin/activate 2>/dev/null && .venv/bin/python -c 'import pip' 2>/dev/null
}

# check_version PYTHON: stops if it is too old.
check_version() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        fail "$1 is $("$1" --version 2>&1); 3.10 or newer is needed. Name another one:
    PYTHON=python3.12 bash make_install.sh"
}

make_venv() {
    if venv_works; then
        check_version .venv/bin/python
        return
    fi
    has "$PYTHON" || fail "$PYTHON was not found; install Python 3.10 or newer, or set PYTHON"
    check_version "$PYTHON"
    step "Making .venv with $("$PYTHON" --version)" "$PYTHON" -m venv --clear .venv
}

pip_install() { .venv/bin/python -m pip install --disable-pip-version-check "$@"; }

install_torch() {
    if .venv/bin/python -c 'import torch' 2>/dev/null; then return; fi
    if [ -n "${MTCNN_TORCH:-}" ]; then
        step "Installing PyTorch: $MTCNN_TORCH" pip_install "$MTCNN_TORCH"
        return
    fi
    logged "Installing PyTorch for the CPU" pip_install torch==2.13.0+cpu ||
        logged "Installing PyTorch for the CPU, from PyTorch's own index" \
            pip_install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu ||
        step "Installing PyTorch as it is published" pip_install torch==2.13.0
}

# ---- 3. the C core --------------------------------------------------------------------------------

build_core() {
    local options=(-DCMAKE_BUILD_TYPE=Release -DMTCNN_BUILD_TESTS=OFF) cache=build/CMakeCache.txt
    options+=(-DMTCNN_PROGRAM_JPEG=ON -DMTCNN_PROGRAM_PNG=ON) # an error if they are missing
    if [ "$TEST" = yes ]; then options+=(-DMTCNN_BUILD_TESTS=ON); fi
    if [ -f $cache ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" $cache; then
        rm -rf $cache build/CMakeFiles build/bench # the folder was moved or copied
    fi
    if [ ! -f $cache ] && has ninja; then options+=(-G Ninja); fi
    step "Configuring the C core" cmake -S . -B build "${options[@]}"
    step "Building the C core" cmake --build build --parallel "$(getconf _NPROCESSORS_ONLN)"
    install -m 755 build/mtcnn mtcnn
    if [ "$TEST" = yes ]; then build_benchmarks; fi
}

# In the folder that docs/performance.md names; tests check their arguments.
build_benchmarks() {
    step "Configuring the benchmarks" cmake -S . -B build/bench -DMTCNN_BUILD_BENCH=ON
    step "Building the benchmarks" cmake --build build/bench --target bench_core \
        --parallel "$(getconf _NPROCESSORS_ONLN)"
}

# ---- 4. the package -------------------------------------------------------------------------------

# An older .venv has OpenCV with windows, which shares a folder with the one without: both have to go.
remove_other_opencv() {
    if .venv/bin/python -m pip show -q opencv-python >/dev/null 2>&1; then
        step "Removing opencv-python, in whose place comes opencv-python-headless" \
            .venv/bin/python -m pip uninstall -y opencv-python opencv-python-headless
    fi
}

install_package() {
    remove_other_opencv
    step "Installing the package pymtcnn into .venv" \
        pip_install --no-build-isolation --editable '.[train,test]'
}

# ---- 5. a detection -------------------------------------------------------------------------------

detect() {
    local pictures=(tests/data/grace_hopper.jpg tests/data/astronaut.jpg)
    say "Detecting faces with ./mtcnn"
    ./mtcnn --out build/annotated/ "${pictures[@]}" ||
        fail "the program is built but failed; its message is above"
    if [ "$CORE" = no ]; then
        step "Detecting faces with Python" .venv/bin/python -m pymtcnn detect "${pictures[@]}"
    fi
    cat <<END

Ready. The annotated pictures are in $PWD/build/annotated:
END
    printf '    %s\n' "${pictures[@]/#tests\/data/build/annotated}"
    printf '\nNext, with a picture of yours:\n    ./mtcnn picture.jpg\n'
    if [ "$CORE" = no ]; then
        printf '    . .venv/bin/activate\n    pymtcnn detect picture.jpg\n'
    fi
}

# ---- the tests ------------------------------------------------------------------------------------

run_tests() {
    local status=0
    say "Running the C tests"
    (cd build && ctest --output-on-failure) || status=1
    grep -h 'largest difference' build/Testing/Temporary/LastTest.log || true
    if [ "$CORE" = no ]; then
        say "Running the Python tests"
        .venv/bin/python -m pytest || status=1
    fi
    return $status
}

# ---- main -----------------------------------------------------------------------------------------

CORE=no TEST=no PYTHON=${PYTHON:-python3} LOG=build/install.log
for option in "$@"; do
    case $option in
    --core) CORE=yes ;;
    --test) TEST=yes ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        printf 'make_install.sh: %s: no such option; try --help\n' "$option" >&2
        exit 2
        ;;
    esac
done

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
if ! { [ -w . ] && mkdir -p build && : >"$LOG"; } 2>/dev/null; then
    fail "$PWD: cannot be written to, and everything is made in it; copy the project to a folder of yours"
fi

install_packages
if [ "$CORE" = no ]; then
    make_venv
    install_torch
    step "Installing what the build needs" pip_install numpy 'scikit-build-core>=0.10' 'cffi>=1.15'
fi
build_core
if [ "$CORE" = no ]; then install_package; fi
detect
if [ "$TEST" = yes ]; then run_tests; fi
