// Finds out from a book which words are alike, by the words that stand around them.

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <unordered_map>

#include <autograd/atomic_file.hpp>
#include <autograd/autograd.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>
#include <examples/common/text.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

// The words that occur often enough, the most frequent first, and the text as their numbers.
struct Vocabulary {
  std::vector<std::string> words;
  std::vector<double> counts;
  std::vector<std::int64_t> text;
  std::unordered_map<std::string, std::int64_t> number;

  Vocabulary(const std::vector<std::string>& all, double least_count) {
    std::map<std::string, double> count;
    for (const std::string& word : all) ++count[word];
    for (const auto& [word, n] : count)
      if (n >= least_count) words.push_back(word);
    std::stable_sort(words.begin(), words.end(), [&](const auto& a, const auto& b) { return count[a] > count[b]; });
    for (const std::string& word : words) {
      number.emplace(word, static_cast<std::int64_t>(number.size()));
      counts.push_back(count[word]);
    }
    for (const std::string& word : all)
      if (const auto found = number.find(word); found != number.end()) text.push_back(found->second);
  }
};

// Mikolov et al. 2013, Distributed representations of words and phrases and their compositionality. A word's vector v
// shall tell the words u around it from words n that are drawn at random:
//   -log sigmoid(u . v) - sum(log sigmoid(-n . v))
struct SkipGram : nn::Module {
  nn::Embedding words, contexts;
  SkipGram(std::size_t count, std::size_t width)
      : words(count, width, {.weight_init = nn::uniform(-0.5 / double(width), 0.5 / double(width))}),
        contexts(count, width, {.weight_init = nn::zeros()}) {
    add("words", words);
    add("contexts", contexts);
  }
  // For words (batch), the words around them (batch), and the noise (batch, k): the sum over the batch.
  Variable loss(const Variable& word, const Variable& around, const Variable& noise) {
    const Variable others = contexts(concatenate({expand_dims(around, 1), noise}, 1));  // (batch, 1 + k, width)
    const Variable scores = squeeze(matmul(others, expand_dims(words(word), 2)), 2);
    const Variable is_true = one_hot(zeros({scores.shape(0)}, int64), scores.shape(1));  // the first of each row
    return nn::sigmoid_cross_entropy(scores, is_true, {.reduction = nn::Reduction::sum});
  }
};

// Pairs of words and words around them, from one pass over the text. Of frequent words, a part is passed over; the
// window is drawn anew for each word, so that near ones count more.
struct Pairs {
  std::vector<std::int64_t> words, around;

  Pairs(const Vocabulary& vocabulary, double threshold, std::size_t most_window, std::mt19937_64& random) {
    std::uniform_real_distribution<double> uniform(0, 1);
    std::vector<std::int64_t> kept;
    const auto total = static_cast<double>(vocabulary.text.size());
    for (std::int64_t word : vocabulary.text) {
      const double frequency = vocabulary.counts[static_cast<std::size_t>(word)] / total;
      if (uniform(random) < std::sqrt(threshold / frequency)) kept.push_back(word);
    }
    for (std::size_t i = 0; i < kept.size(); ++i) {
      const std::size_t window = 1 + random() % most_window;
      for (std::size_t j = i - std::min(i, window); j < std::min(i + window + 1, kept.size()); ++j)
        if (j != i) words.push_back(kept[i]), around.push_back(kept[j]);
    }
  }
};

// Numbers of words, each as often as its count^0.75 says: noise is drawn from it.
Variable noise_table(const std::vector<double>& counts, double size) {
  double total = 0;
  for (double count : counts) total += std::pow(count, 0.75);
  std::vector<std::int64_t> table;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto times = static_cast<std::size_t>(std::ceil(size * std::pow(counts[i], 0.75) / total));
    table.insert(table.end(), times, static_cast<std::int64_t>(i));
  }
  return Variable(std::move(table));
}

// The k words whose vectors have the greatest cosines with that of a word.
std::vector<std::int64_t> neighbours(const Variable& unit, std::int64_t word, std::size_t k) {
  const Variable most_alike = topk(matmul(unit, unit[word]), k + 1).indices;  // the first one is the word itself
  const std::int64_t* begin = most_alike.data<std::int64_t>();
  return {begin + 1, begin + k + 1};
}

// The text format of the word2vec program, which many programs read.
void save_text(const std::filesystem::path& file, const std::vector<std::string>& words, const Variable& vectors) {
  std::ostringstream out;
  out << words.size() << ' ' << vectors.shape(1) << '\n';
  const float* x = vectors.data<float>();
  for (const std::string& word : words) {
    out << word;
    for (std::size_t i = 0; i < vectors.shape(1); ++i) out << ' ' << *x++;
    out << '\n';
  }
  write_file_atomically(file, out.str());
}

struct Group {
  std::string name;
  std::vector<std::string> words;
};

// The vectors of words on the plane in which they differ most, by principal components.
example::Plot draw_map(const std::vector<Group>& groups, const Vocabulary& vocabulary, const Variable& unit) {
  std::vector<std::int64_t> numbers;
  for (const Group& group : groups)
    for (const std::string& word : group.words) numbers.push_back(vocabulary.number.at(word));
  const Variable chosen = take(unit, Variable(numbers)), centered = chosen - mean(chosen, 0);
  const Variable plane = matmul(centered, transpose(svd(centered).vh[range(0, 2)]));
  example::Plot plot("Words that are alike lie near one another", "first component", "second component",
                     {.width = 900, .height = 680});
  std::ptrdiff_t first = 0;
  for (const Group& group : groups) {
    const Variable part = plane[range(first, first + static_cast<std::ptrdiff_t>(group.words.size()))];
    plot.labels(group.name, example::numbers(part[{range(), 0}]), example::numbers(part[{range(), 1}]), group.words);
    first += static_cast<std::ptrdiff_t>(group.words.size());
  }
  return plot;
}

// Of a made-up text: which part of the five nearest neighbours of each word are in its class.
double purity(const Variable& unit, const Vocabulary& vocabulary) {
  double same = 0, all = 0;
  for (const auto& [name, words] : example::word_classes())
    for (const std::string& word : words)
      for (std::int64_t i : neighbours(unit, vocabulary.number.at(word), 5))
        ++all, same += std::count(words.begin(), words.end(), vocabulary.words[static_cast<std::size_t>(i)]) > 0;
  return same / all;
}

int main(int argc, char** argv) {
  example::Program program("word2vec", "Skip-grams with negative sampling (Mikolov et al. 2013).");
  std::string file;
  std::vector<std::string> asked{"whale", "ship", "sea", "captain", "white", "men", "hand", "boat", "night", "eyes"};
  const std::vector<std::string> usual = asked;
  std::size_t width = 100, window = 5, noise_words = 5, epochs = 20, batch = 1'000;
  double lr = 0.025, least_count = 5, threshold = 1e-3;
  program.option("--text", file, "a text file in UTF-8, plain or gzip; else Moby-Dick is downloaded");
  program.option("--words", asked, "whose neighbours it shows");
  program.option("--width", width, "of the vectors");
  program.option("--window", window, "words on either side, at most");
  program.option("--noise", noise_words, "words drawn for each pair");
  program.option("--least-count", least_count, "rarer words are left out");
  program.option("--threshold", threshold, "of a word of greater frequency f, the part sqrt(threshold / f) is kept");
  program.option("--epochs", epochs, "passes over the text");
  program.option("--batch", batch, "pairs in a step");
  program.option("--lr", lr, "learning rate at the beginning; it falls to 0");
  return program.run(argc, argv, [&] {
    const example::Text text = example::text_for(program, file);
    const Vocabulary vocabulary(example::words(text.content), least_count);
    std::cout << vocabulary.text.size() << " words, " << vocabulary.words.size() << " different ones" << std::endl;
    std::mt19937_64 random(static_cast<std::uint64_t>(randint(0, 1'000'000'000, {1}).item<std::int64_t>()));
    const Variable table = noise_table(vocabulary.counts, 1e6);
    SkipGram net(vocabulary.words.size(), width);
    optim::SGD sgd(net.parameters(), {.lr = lr});

    if (program.quick()) epochs = 12;
    std::vector<double> epoch, losses;
    const nn::Stopwatch watch;
    for (example::Progress progress("training", epochs); progress.next();) {
      const Pairs pairs(vocabulary, threshold, window, random);
      const std::size_t count = pairs.words.size();
      const Variable order = randperm(count);
      const Variable words = take(Variable(pairs.words), order), around = take(Variable(pairs.around), order);
      double sum = 0;
      for (std::size_t first = 0; first + batch <= count; first += batch) {
        const double part = static_cast<double>(first) / static_cast<double>(count);
        const double passes = static_cast<double>(progress.step()) + part;
        sgd.set_lr(lr * (1 - passes / static_cast<double>(epochs)));
        const Range rows = range(static_cast<std::ptrdiff_t>(first), static_cast<std::ptrdiff_t>(first + batch));
        const Variable noise = take(table, randint(static_cast<std::int64_t>(table.size()), Dims{batch, noise_words}));
        sgd.zero_grad();
        Variable loss = net.loss(words[rows], around[rows], noise);
        loss.backward();
        sgd.step();
        sum += loss.item();
      }
      epoch.push_back(static_cast<double>(progress.step() + 1));
      losses.push_back(sum / static_cast<double>(count / batch * batch));
      progress.show("loss", losses.back());
    }
    const double trained = static_cast<double>(vocabulary.text.size()) * static_cast<double>(epoch.size());
    std::cout << nn::fixed(trained / watch.seconds(), 0) << " words a second\n";

    NoGrad guard;
    const Variable vectors = net.words.weight.detach(), unit = normalize(vectors);
    save_text(program.file("vectors.txt"), vocabulary.words, vectors);
    nn::save_npz(program.file("vectors.npz"), {{"vectors", vectors}, {"counts", Variable(vocabulary.counts)}});
    if (text.made_up && asked == usual) {
      asked.clear();
      for (const auto& [name, words] : example::word_classes()) asked.push_back(words.front());
    }
    std::vector<Group> groups;
    for (const std::string& word : asked) {
      const auto found = vocabulary.number.find(word);
      if (found == vocabulary.number.end()) {
        std::cout << word << " is too rare\n";
        continue;
      }
      groups.push_back({word, {word}});
      std::cout << word << ':';
      for (std::int64_t i : neighbours(unit, found->second, 7)) {
        groups.back().words.push_back(vocabulary.words[static_cast<std::size_t>(i)]);
        std::cout << ' ' << groups.back().words.back();
      }
      std::cout << '\n';
    }
    if (!groups.empty()) draw_map(groups, vocabulary, unit).save(program.file("map"));
    example::Plot("Learning", "epoch", "loss of a pair").line("", epoch, losses).save(program.file("learning"));
    program.result("loss", losses.empty() ? NAN : losses.back());
    if (text.made_up) program.result("purity", purity(unit, vocabulary));
  });
}
