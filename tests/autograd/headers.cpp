// What users include gives their compilers nothing to warn of, not even where they ask for these as well.
#pragma GCC diagnostic error "-Wshadow"
#pragma GCC diagnostic error "-Wconversion"
#pragma GCC diagnostic error "-Wsign-conversion"
#include <autograd/autograd.hpp>
#include <autograd/checkpoint.hpp>
#include <autograd/fuse.hpp>
#include <autograd/implicit.hpp>
#include <autograd/odeint.hpp>
#include <autograd/scalar.hpp>
#include <autograd/scalar/sparse.hpp>
#include <autograd/scalar/xtensor.hpp>
#include <autograd/scan.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
