// All of optim.
#pragma once

#include <optim/adadelta.hpp>
#include <optim/adagrad.hpp>
#include <optim/adam.hpp>
#include <optim/adamax.hpp>
#include <optim/combined.hpp>
#include <optim/cosine.hpp>
#include <optim/cyclic.hpp>
#include <optim/data_parallel.hpp>
#include <optim/ema.hpp>
#include <optim/lamb.hpp>
#include <optim/lbfgs.hpp>
#include <optim/least_squares.hpp>
#include <optim/lion.hpp>
#include <optim/minimize.hpp>
#include <optim/nadam.hpp>
#include <optim/optimizer.hpp>
#include <optim/plateau.hpp>
#include <optim/radam.hpp>
#include <optim/rmsprop.hpp>
#include <optim/rprop.hpp>
#include <optim/schedules.hpp>
#include <optim/sgd.hpp>
