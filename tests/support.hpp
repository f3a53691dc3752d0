// What all tests share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <autograd/autograd.hpp>
#include <autograd/state_dict.hpp>

namespace xtape::testing {

/// What f says when it throws an Error.
inline std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

/// That f throws an E whose message has all the parts.
template <class E>
void throws(const std::function<void()>& f, std::initializer_list<const char*> parts) {
  try {
    f();
    BOOST_ERROR("nothing was thrown, expected: " << *parts.begin());
  } catch (const E& error) {
    for (const char* part : parts)
      BOOST_TEST((std::string(error.what()).find(part) != std::string::npos), error.what() << " lacks " << part);
  }
}

/// That two Variables have one shape and dtype, and elements within `tolerance` of each other.
inline void close(const Variable& a, const Variable& b, double tolerance = 0) {
  BOOST_REQUIRE(a.shape() == b.shape());
  BOOST_REQUIRE(a.dtype() == b.dtype());
  for (std::size_t i = 0; i < a.size(); ++i)
    BOOST_TEST(std::abs(a.value().at(i) - b.value().at(i)) <= tolerance,
               "element " << i << ": " << a.value().at(i) << " and " << b.value().at(i));
}

/// That two Variables have one shape and dtype, and the same elements, infinities included.
inline void same(const Variable& a, const Variable& b) {
  BOOST_REQUIRE(a.shape() == b.shape());
  BOOST_REQUIRE(a.dtype() == b.dtype());
  for (std::size_t i = 0; i < a.size(); ++i) BOOST_TEST(a.value().at(i) == b.value().at(i));
}

inline void same(const std::vector<Variable>& a, const std::vector<Variable>& b) {
  BOOST_REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) same(a[i], b[i]);
}

/// That two states have the same names and elements; what is undefined in one is so in the other.
inline void same(const StateDict& a, const StateDict& b) {
  BOOST_REQUIRE(a.size() == b.size());
  for (const auto& [name, x] : a) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_REQUIRE(b.contains(name));
      BOOST_REQUIRE(x.defined() == b.at(name).defined());
      if (x.defined()) same(x, b.at(name));
    }
  }
}

}  // namespace xtape::testing
