// A reference to a callable, for a call that does not outlive it.
#pragma once

#include <utility>

namespace xtape::kernels {

template <class Signature>
class FunctionRef;

template <class... Arguments>
class FunctionRef<void(Arguments...)> {
 public:
  template <class F>
  FunctionRef(const F& f)
      : callable_(&f),
        call_([](const void* callable, Arguments... arguments) { (*static_cast<const F*>(callable))(arguments...); }) {}

  void operator()(Arguments... arguments) const { call_(callable_, arguments...); }

 private:
  const void* callable_;
  void (*call_)(const void*, Arguments...);
};

}  // namespace xtape::kernels
