// All of optim.
#pragma once

#include <optim/adam.hpp>
#include <optim/optimizer.hpp>
#include <optim/schedules.hpp>
#include <optim/sgd.hpp>
