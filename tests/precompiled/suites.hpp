// What nearly every suite includes, compiled once for all of them.
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/fuse.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
