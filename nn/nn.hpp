// All of nn: what a program that trains networks includes.
#pragma once

#include <nn/attention.hpp>
#include <nn/gradcheck.hpp>
#include <nn/initializers.hpp>
#include <nn/layers.hpp>
#include <nn/losses.hpp>
#include <nn/module.hpp>
#include <nn/positional.hpp>
#include <nn/recurrent.hpp>
#include <nn/serialization.hpp>
#include <nn/transformer.hpp>
