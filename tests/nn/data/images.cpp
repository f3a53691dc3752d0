// Images: CIFAR's files, images as a data set, and changes of batches.
#include <nn/data/cifar.hpp>
#include <nn/data/transforms.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using nn::Batch;
using nn::LabeledImages;
using xtape::testing::close;
using xtape::testing::gzip;
using xtape::testing::put;
using xtape::testing::TemporaryDirectory;
using xtape::testing::throws;

namespace {

// An image of CIFAR whose levels count up from `first`.
std::string cifar_image(std::initializer_list<int> labels, int first) {
  std::string bytes(labels.begin(), labels.end());
  for (int i = 0; i < 3072; ++i) bytes += static_cast<char>((first + i) % 251);
  return bytes;
}

LabeledImages two_grey() {
  return {.images = {{{0, 51}, {102, 255}}, {{255, 0}, {0, 0}}}, .labels = {7, 9}};
}

LabeledImages in_color() {
  xt::xarray<std::uint8_t> images = xt::xarray<std::uint8_t>::from_shape({2, 3, 1, 2});
  for (std::size_t i = 0; i < images.size(); ++i) images.data()[i] = static_cast<std::uint8_t>(i);
  return {.images = images, .labels = {1, 0}};
}

Variable counting(const Dims& shape) {
  Variable x = zeros(shape);
  for (std::size_t i = 0; i < x.size(); ++i) x.mutable_data<float>()[i] = static_cast<float>(i + 1);
  return x;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(images)

BOOST_AUTO_TEST_CASE(cifar10) {
  TemporaryDirectory directory;
  put(directory / "a", cifar_image({3}, 0) + cifar_image({9}, 100));
  put(directory / "b.gz", gzip(cifar_image({0}, 7)));
  LabeledImages set = nn::load_cifar10({directory / "a", directory / "b.gz"});
  BOOST_TEST(set.size() == 3);
  BOOST_TEST((Shape(set.images.shape().begin(), set.images.shape().end()) == Shape{3, 3, 32, 32}));
  BOOST_TEST(int(set.labels(0)) == 3);
  BOOST_TEST(int(set.labels(1)) == 9);
  BOOST_TEST(int(set.labels(2)) == 0);
  BOOST_TEST(int(set.images(1, 2, 31, 30)) == (100 + 3070) % 251);  // blue, the last row but one pixel
  BOOST_TEST(int(set.images(2, 1, 0, 1)) == (7 + 1025) % 251);

  std::string two = cifar_image({3}, 0) + cifar_image({10}, 0);
  auto refuses = [&](const std::string& text, std::initializer_list<const char*> parts) {
    put(directory / "bad", text);
    throws<FileError>([&] { nn::load_cifar10({directory / "a", directory / "bad"}); }, {"load_cifar10", "bad"});
    throws<FileError>([&] { nn::load_cifar10({directory / "a", directory / "bad"}); }, parts);
  };
  refuses(two, {"image 1 is of class 10, needs 0 to 9"});
  refuses(two.substr(0, 4000), {"image 1 has 927 bytes, needs 3073"});
  refuses("", {"empty"});
  refuses(gzip(two.substr(0, 3073)).substr(0, 100), {"cut short"});
  throws<FileError>([&] { nn::load_cifar10({directory / "absent"}); }, {"absent", "No such file"});
  throws<ValueError>([] { nn::load_cifar10({}); }, {"load_cifar10", "no files"});
}

BOOST_AUTO_TEST_CASE(cifar100) {
  TemporaryDirectory directory;
  put(directory / "a", cifar_image({19, 99}, 5) + cifar_image({0, 1}, 0));
  BOOST_TEST(int(nn::load_cifar100({directory / "a"}).labels(0)) == 99);
  LabeledImages coarse = nn::load_cifar100({directory / "a"}, nn::CifarLabels::coarse);
  BOOST_TEST(int(coarse.labels(0)) == 19);
  BOOST_TEST(int(coarse.images(0, 0, 0, 0)) == 5);
  put(directory / "a", cifar_image({20, 0}, 5));
  throws<FileError>([&] { nn::load_cifar100({directory / "a"}); }, {"class 20, needs 0 to 19"});
}

BOOST_AUTO_TEST_CASE(grey_images_as_a_data_set) {
  nn::ImageDataset dataset(two_grey());
  BOOST_TEST(dataset.size() == 2);
  Batch batch = dataset.gather(std::vector<std::int64_t>{1, 0});
  close(batch.x, Variable{{{{1, 0}, {0, 0}}}, {{{0, 0.2}, {0.4, 1}}}}, 1e-6);
  close(batch.y, Variable({9, 7}, int64));
  close(dataset.get(0).x, Variable{{{0, 0.2}, {0.4, 1}}}, 1e-6);
  close(dataset.get(0).y, full({}, 7, int64));
  nn::ImageDataset rows(two_grey(), {.mean = {0.5}, .std = {0.25}, .flatten = true, .dtype = float64});
  close(rows.gather(std::vector<std::int64_t>{0}).x, Variable({{-2, -1.2, -0.4, 2}}, float64), 1e-12);
  throws<ValueError>([&] { dataset.get(2); }, {"ImageDataset", "position 2"});
}

BOOST_AUTO_TEST_CASE(color_images_as_a_data_set) {
  nn::ImageDataset dataset(in_color(), {.mean = {0, 0.5, 0}, .std = {1, 1, 1 / 255.0}, .dtype = float64});
  Variable expected({{{{6 / 255.0, 7 / 255.0}}, {{8 / 255.0 - 0.5, 9 / 255.0 - 0.5}}, {{10, 11}}}}, float64);
  close(dataset.gather(std::vector<std::int64_t>{1}).x, expected, 1e-12);
  throws<ValueError>([] { nn::ImageDataset(in_color(), {.mean = {0, 0}}); }, {"2 means", "3 channels"});
  throws<ValueError>([] { nn::ImageDataset(in_color(), {.std = {0}}); }, {"positive"});
  throws<ValueError>([] { nn::ImageDataset(in_color(), {.mean = {NAN}}); }, {"finite"});
  throws<DTypeError>([] { nn::ImageDataset(in_color(), {.dtype = int64}); }, {"int64"});
  LabeledImages short_of_one = in_color();
  short_of_one.labels = {1};
  throws<ShapeError>([&] { nn::ImageDataset{short_of_one}; }, {"(2, 3, 1, 2)", "1 labels"});
}

BOOST_AUTO_TEST_CASE(normalizing) {
  Generator generator(0);
  Variable x = counting({1, 2, 1, 2});
  close(nn::normalize({1, 2}, {2, 4})({x, {}}, generator).x, Variable{{{{0, 0.5}}, {{0.25, 0.5}}}});
  close(nn::normalize({1}, {2})({x, {}}, generator).x, Variable{{{{0, 0.5}}, {{1, 1.5}}}});
  close(x, counting({1, 2, 1, 2}));  // what others hold stays as it was
  throws<ShapeError>([&] { nn::normalize({1, 2, 3}, {1, 1, 1})({x, {}}, generator); }, {"normalize", "3 channels"});
  throws<ShapeError>([&] { nn::normalize({1}, {1})({ones({2, 3}), {}}, generator); }, {"float32(2, 3)"});
  throws<ValueError>([] { nn::normalize({1}, {0}); }, {"normalize", "positive"});
  throws<ValueError>([] { nn::normalize({}, {}); }, {"normalize", "0 means"});
}

BOOST_AUTO_TEST_CASE(flips) {
  Generator generator(0);
  Variable x = counting({1, 2, 1, 3});
  Variable mirrored{{{{3, 2, 1}}, {{6, 5, 4}}}};
  close(nn::random_horizontal_flip(1)({x, {}}, generator).x, mirrored);
  close(nn::random_horizontal_flip(0)({x, {}}, generator).x, x);
  Variable many = nn::random_horizontal_flip()({broadcast_to(x, {1000, 2, 1, 3}), {}}, generator).x;
  int flipped = 0;
  for (int i = 0; i < 1000; ++i) {
    bool turned = many[i].value().at(0) == 3;
    close(many[i], turned ? mirrored[0] : x[0]);
    flipped += turned;
  }
  BOOST_TEST(std::abs(flipped - 500) < 80);  // five standard deviations
  throws<ValueError>([] { nn::random_horizontal_flip(1.5); }, {"random_horizontal_flip", "0 to 1"});
}

BOOST_AUTO_TEST_CASE(crops) {
  Generator generator(0);
  Variable x = counting({1, 1, 3, 3});
  close(nn::random_crop(0)({x, {}}, generator).x, x);
  // Each crop of the padded image occurs, and nothing else.
  Variable padded = zeros({1, 1, 5, 5});
  for (int i = 0; i < 9; ++i) padded.mutable_data<float>()[(1 + i / 3) * 5 + 1 + i % 3] = static_cast<float>(i + 1);
  Variable many = nn::random_crop(1)({broadcast_to(x, {500, 1, 3, 3}), {}}, generator).x;
  std::vector<int> counts(9, 0);
  for (int i = 0; i < 500; ++i)
    for (int dy = 0; dy < 3; ++dy)
      for (int dx = 0; dx < 3; ++dx) {
        Variable crop = padded[{0, 0, range(dy, dy + 3), range(dx, dx + 3)}];
        if (sum(abs(crop - many[{i, 0}])).item() == 0) ++counts[static_cast<std::size_t>(3 * dy + dx)];
      }
  int sum = 0;
  for (int count : counts) {
    BOOST_TEST(count > 20);
    sum += count;
  }
  BOOST_TEST(sum == 500);
}

BOOST_AUTO_TEST_SUITE_END()
