// What shows the graph and where the time goes: to_dot, Profile, DetectAnomaly.
#include <filesystem>
#include <fstream>
#include <limits>
#include <regex>
#include <sstream>
#include <thread>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <autograd/autograd.hpp>
#include <tests/support.hpp>

using namespace xtape;
using xtape::testing::message;

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++found;
  return found;
}

const Profile::Row* row(const std::vector<Profile::Row>& rows, const std::string& name) {
  for (const auto& r : rows)
    if (r.operation == name) return &r;
  return nullptr;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(seeing)

BOOST_AUTO_TEST_CASE(to_dot_names_operations_shapes_dtypes_and_parameters) {
  Variable x = ones({2, 3}, float64), w = parameter(ones({3, 4}, float64)), b = parameter(ones({4}, float64));
  Variable y = sum(tanh(matmul(x, w) + b) * w[0]);
  std::string dot = to_dot(y, {{"weight", w}, {"a \"quoted\" bias", b}});
  BOOST_TEST(dot.starts_with("digraph {\n"));
  BOOST_TEST(dot.ends_with("}\n"));
  for (const char* part :
       {R"~("weight\nfloat64 (3, 4)", shape=ellipse, style=filled, fillcolor=lightblue)~",
        R"~("a \"quoted\" bias\nfloat64 (4,)", shape=ellipse, style=filled, fillcolor=lightblue)~",
        R"~("matmul transpose_a=false, transpose_b=false\nfloat64 (2, 4)", shape=box)~",
        R"~("sum axes=(0, 1), keepdims=false\nfloat64 ()", shape=box)~", R"~("result\nfloat64 ()")~",
        R"~("slice shape=(4,), strides=(1,), offset=0\nfloat64 (4,)", shape=box)~", R"~("tanh\nfloat64 (2, 4)")~"})
    BOOST_TEST(count(dot, part) == 1, part << " in\n" << dot);
  // matmul, add, tanh, mul, sum, slice; their edges: 1, 2, 1, 2, 1, 1, and one to the result.
  BOOST_TEST(count(dot, "shape=box") == 6);
  BOOST_TEST(count(dot, " -> ") == 9);
  // Without names, the leaves stand there all the same.
  BOOST_TEST(count(to_dot(y), R"~(label="float64 (3, 4)", shape=ellipse, style=filled, fillcolor=white)~") == 1);
  // A text is quoted twice.
  std::string to = to_dot(w.to(float32), {});
  BOOST_TEST(count(to, R"~("to dtype=\"float32\"\nfloat32 (3, 4)")~") == 1, to);
  y.backward();
}

BOOST_AUTO_TEST_CASE(to_dot_of_a_long_chain_and_of_no_graph) {
  Variable y = parameter(Variable{1.0});
  for (int i = 0; i < 100000; ++i) y = y + 1;
  BOOST_TEST(count(to_dot(y), "\"add\\n") == 100000);
  BOOST_TEST(message([] { to_dot(ones({2})); }).find("to_dot: nothing") == 0);
  BOOST_TEST(message([] { to_dot(Variable()); }).find("to_dot: nothing") == 0);
  y.backward();
  BOOST_TEST(message([&] { to_dot(y); }).find("to_dot: the graph was released") == 0);
}

BOOST_AUTO_TEST_CASE(profile_counts_both_ways_by_operation) {
  Variable x = parameter(ones({100, 50})), w = parameter(ones({50, 20}));
  Profile profile;
  Variable y = tanh(tanh(matmul(x, w)));
  sum(y).backward();
  profile.stop();
  tanh(x);  // after its end
  auto rows = profile.rows();
  const Profile::Row *tanhs = row(rows, "tanh"), *products = row(rows, "matmul");
  BOOST_REQUIRE(tanhs);
  BOOST_REQUIRE(products);
  BOOST_TEST(tanhs->forward.count == 2u);
  BOOST_TEST(tanhs->backward.count == 2u);
  BOOST_TEST(tanhs->forward.bytes == 2u * 100 * 20 * 4);
  BOOST_TEST(tanhs->backward.bytes == 2u * 100 * 20 * 4);
  BOOST_TEST(tanhs->forward.seconds > 0);
  // The two products of the way back belong to it, and are no forward calls.
  BOOST_TEST(products->forward.count == 1u);
  BOOST_TEST(products->backward.count == 1u);
  BOOST_TEST(products->backward.bytes == (100u * 50 + 50 * 20) * 4);
  for (std::size_t i = 1; i < rows.size(); ++i)
    BOOST_TEST(rows[i].forward.seconds + rows[i].backward.seconds <=
               rows[i - 1].forward.seconds + rows[i - 1].backward.seconds);
}

BOOST_AUTO_TEST_CASE(profile_table) {
  Profile profile;
  sum(parameter(ones({1024, 256})) * 2).backward();
  std::ostringstream out;
  out << profile;
  std::string text = out.str();
  BOOST_TEST_CONTEXT(text) {
    BOOST_TEST(std::regex_search(text, std::regex(R"(\noperation +calls +ms +results +calls +ms +results\n)")));
    BOOST_TEST(std::regex_search(text, std::regex(R"(\nmul +1 +\d+\.\d{3} +1\.0 MiB +1 +\d+\.\d{3} +1\.0 MiB\n)")));
    BOOST_TEST(std::regex_search(text, std::regex(R"(\ntotal +\d+ )")));
  }
}

BOOST_AUTO_TEST_CASE(profile_is_of_its_thread_and_nests) {
  Profile outer;
  exp(ones({3}));
  {
    Profile inner;
    sin(ones({3}));
    std::thread([] { cos(ones({3})); }).join();
    BOOST_TEST(inner.rows().size() == 1u);
  }
  BOOST_TEST(row(outer.rows(), "exp"));
  BOOST_TEST(row(outer.rows(), "sin"));
  BOOST_TEST(!row(outer.rows(), "cos"));
}

BOOST_AUTO_TEST_CASE(chrome_trace) {
  Profile profile;
  Variable x = parameter(ones({30}));
  sum(exp(x)).backward();
  auto trace = nlohmann::json::parse(profile.chrome_trace());
  std::size_t forward = 0, backward = 0;
  for (const auto& event : trace.at("traceEvents")) {
    BOOST_TEST(event.at("ph") == "X");
    BOOST_TEST(event.at("ts").get<double>() >= 0);
    BOOST_TEST(event.at("dur").get<double>() >= 0);
    if (event.at("name") == "exp") (event.at("cat") == "forward" ? forward : backward) += 1;
  }
  BOOST_TEST(forward == 1u);
  BOOST_TEST(backward == 1u);
  auto path = std::filesystem::temp_directory_path() / ("trace-" + std::to_string(::getpid()) + ".json");
  profile.save_chrome_trace(path);
  std::ifstream file(path);
  BOOST_TEST((nlohmann::json::parse(file) == trace));
  std::filesystem::remove(path);
  BOOST_CHECK_THROW(profile.save_chrome_trace("/nowhere/trace.json"), FileError);
}

BOOST_AUTO_TEST_CASE(anomaly_names_the_operation_and_the_place) {
  Variable x = Variable({0.0, 1.0}, float64).requires_grad_();
  DetectAnomaly guard;
  Variable y = sum(sqrt(x) * 3);  // whose derivative is infinite at 0
  std::string text = message([&] { y.backward(); });
  BOOST_TEST(text.find("backward of sqrt: made a NaN or an infinity") == 0, text);
  BOOST_TEST(text.find("float64(2,)") != std::string::npos, text);
  BOOST_TEST(text.find("\n  at ") != std::string::npos, text);
  BOOST_TEST(!x.grad().defined());
}

BOOST_AUTO_TEST_CASE(anomaly_tells_the_attributes) {
  Variable a = ones({2, 2}, float64).requires_grad_();
  DetectAnomaly guard;
  Variable y = matmul(a, Variable({1e308, 1e308}, float64));
  std::string text = message([&] { (y * 1e10).backward(ones({2}, float64)); });
  BOOST_TEST(text.find("its forward with transpose_a=false, transpose_b=false was called") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(anomaly_is_of_its_scope) {
  Variable x = Variable({0.0}, float64).requires_grad_();
  Variable y = sqrt(x);
  {
    DetectAnomaly guard;
    std::string text = message([&] { y.backward({}, {.retain_graph = true}); });
    BOOST_TEST(text.find("outside of DetectAnomaly") != std::string::npos, text);
    {
      DetectAnomaly off(false);
      y.backward({}, {.retain_graph = true});
    }
    BOOST_TEST(x.grad().item() == INFINITY);
    // An infinite seed is not the operation's doing.
    Variable z = x * 2;
    z.backward(Variable({INFINITY}, float64));
  }
  x.zero_grad();
  y.backward();
  BOOST_TEST(x.grad().item() == INFINITY);
}

BOOST_AUTO_TEST_SUITE_END()
