// What nearly every kernel includes, compiled once for each target.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include <autograd/kernels/simd.hpp>
