// log(sum(exp(x))), by the maximum.
#include <algorithm>
#include <cmath>
#include <string>

#include <autograd/autograd.hpp>

#include "evaluation.hpp"

namespace gradbench {

using namespace xtape;

Evaluation lse(bool small) {
  const std::size_t n = small ? 10 : 1'000'000;
  const Vector x = uniform(n, small ? -2 : -100, small ? 2 : 100);
  auto plain = []<class T>(const std::vector<T>& at) {
    using std::exp, std::log;
    T most = at[0];
    for (const T& v : at)
      if (v > most) most = v;
    T sum = 0;
    for (const T& v : at) sum += exp(v - most);
    return T(log(sum) + most);
  };
  return {"lse", std::to_string(n), [=] { return Vector{plain(x)}; },
          [=] {
            const Variable g = grad([](const Variable& at) { return logsumexp(at, {0}); }, {Variable(x)})[0];
            return Vector(g.data<double>(), g.data<double>() + n);
          },
          adolc_gradient(plain, x), [=] { return by_differences(plain, x); }};
}

}  // namespace gradbench
