# What examples/run and tests/run share: system packages, configuring, building. For bash, to be sourced.
#
# XTAPE_BUILD_DIR      where to build; `build` in the project's folder if unset
# XTAPE_SETUP_OPTIONS  further options for `meson setup`, such as "-Dwerror=true -Dcpu=x86-64-v3"
#
# All that is said here goes to standard error: standard output is for the programs.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
build_dir=${XTAPE_BUILD_DIR:-$root/build}
[[ $build_dir = /* ]] || build_dir=$PWD/$build_dir

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# Debian's name for each package, and how to see that it is there on any system.
packages='
  g++                  tool    c++
  meson                tool    meson
  ninja-build          tool    ninja
  pkg-config           tool    pkg-config
  ccache               tool    ccache
  curl                 tool    curl
  ca-certificates      file    /etc/ssl/certs
  cmake                tool    cmake
  libxtensor-dev       module  xtensor
  libopenblas-dev      module  openblas
  nlohmann-json3-dev   module  nlohmann_json
  zlib1g-dev           module  zlib
  libcairo2-dev        module  cairo
  fonts-dejavu-core    file    /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
  libbenchmark-dev     module  benchmark
  libxtensor-blas-dev  header  xtensor-blas/xblas_config.hpp
  libxsimd-dev         header  xsimd/xsimd.hpp
  libboost-dev         header  boost/smart_ptr/intrusive_ptr.hpp
  libboost-test-dev    header  boost/test/unit_test.hpp
  libcli11-dev         header  CLI/CLI.hpp
  libstb-dev           header  stb/stb_image.h'

# Where training on several processes is asked for.
mpi_packages='
  libopenmpi-dev       tool    mpicxx
  openmpi-bin          tool    mpirun'

# The names of the headers that the compiler does not find, one on each line.
missing_headers() {
  local compiler=${CXX:-c++} header
  for header in $(awk '$2 == "header" { print $3 }' <<< "$packages"); do
    printf '#if !__has_include(<%s>)\n%s\n#endif\n' "$header" "$header"
  done | if command -v ${compiler%% *} > /dev/null; then $compiler -E -P -x c++ -; else sed -n 's/^[^#]/&/p'; fi
}

missing_packages() {
  local name kind what headers
  headers=$(missing_headers)
  while read -r name kind what; do
    case $kind in
      tool) command -v "$what" > /dev/null ;;
      file) [ -e "$what" ] ;;
      module) pkg-config --exists "$what" 2> /dev/null ;;
      header) ! grep -qxF "$what" <<< "$headers" ;;
    esac || echo "$name"
  done < <(sed '/^$/d' <<< "$packages")
}

# Installs the system packages that are missing, or says which they are.
install_packages() {
  local missing as_root=
  missing=$(missing_packages | paste -sd ' ')
  [ -n "$missing" ] || return 0
  [ "$(id -u)" = 0 ] || as_root=sudo
  if ! command -v apt-get > /dev/null || { [ -n "$as_root" ] && ! command -v sudo > /dev/null; }; then
    fail "xtape needs these packages, by Debian's names; please install them: $missing"
  fi
  say "Installing $missing"
  $as_root apt-get update -qq >&2 || say "apt-get update failed; trying with the package lists that are here"
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq --no-install-recommends -o Dpkg::Use-Pty=0 $missing > /dev/null ||
    fail "apt-get could not install: $missing"
  missing=$(missing_packages | paste -sd ' ')
  [ -z "$missing" ] || fail "still missing after apt-get install: $missing"
}

configure() {
  [ ! -e "$build_dir/build.ninja" ] || return 0
  say "Configuring $build_dir"
  local log
  log=$(meson setup "$build_dir" "$root" ${XTAPE_SETUP_OPTIONS:-} 2>&1) || fail "$log"
}

# Builds these targets; says nothing when that is done already.
build() {
  # What it takes ccache to work with a precompiled header.
  export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
  cd "$build_dir"
  if ! ninja -n "$@" | grep -qx 'ninja: no work to do.'; then
    ninja -j "$(getconf _NPROCESSORS_ONLN)" "$@" >&2 || exit 1
  fi
  cd "$OLDPWD"
}
