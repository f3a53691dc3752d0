// All of autograd: what a program that uses xtape includes.
#pragma once

#include <autograd/anomaly.hpp>
#include <autograd/checkpoint.hpp>
#include <autograd/clip_grad.hpp>
#include <autograd/error.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/gradcheck.hpp>
#include <autograd/ops/activations.hpp>
#include <autograd/ops/convolution.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/decompositions.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/indexing.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/neural.hpp>
#include <autograd/ops/products.hpp>
#include <autograd/ops/recurrence.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/profile.hpp>
#include <autograd/random.hpp>
#include <autograd/threads.hpp>
#include <autograd/to_dot.hpp>
#include <autograd/transforms.hpp>
#include <autograd/variable.hpp>
#include <autograd/walk.hpp>
