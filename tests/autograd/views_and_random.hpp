// What the tests take from xtensor beyond <autograd/xtensor.hpp>, in either layout of its headers.
#pragma once

#if __has_include(<xtensor/views/xview.hpp>)
#include <xtensor/generators/xrandom.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xrandom.hpp>
#include <xtensor/xview.hpp>
#endif
