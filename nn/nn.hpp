// All of nn: what a program that trains networks includes.
#pragma once

#include <nn/callbacks.hpp>
#include <nn/checkpoint.hpp>
#include <nn/data/cifar.hpp>
#include <nn/data/csv.hpp>
#include <nn/data/idx.hpp>
#include <nn/data/loader.hpp>
#include <nn/data/npy.hpp>
#include <nn/data/npz.hpp>
#include <nn/data/transforms.hpp>
#include <nn/functional_call.hpp>
#include <nn/gradcheck.hpp>
#include <nn/initializers.hpp>
#include <nn/layers.hpp>
#include <nn/losses.hpp>
#include <nn/metrics.hpp>
#include <nn/model.hpp>
#include <nn/module.hpp>
#include <nn/serialization.hpp>
#include <nn/torch_names.hpp>
