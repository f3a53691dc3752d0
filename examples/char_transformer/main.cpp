// Writes like the book it has read: a small GPT learns characters, and is held against a 5-gram model.

#include <array>
#include <cmath>
#include <iostream>
#include <map>
#include <numbers>
#include <unordered_map>

#include <autograd/atomic_file.hpp>
#include <autograd/autograd.hpp>
#include <examples/common/plot.hpp>
#include <examples/common/program.hpp>
#include <examples/common/text.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>

using namespace xtape;

using Symbols = std::vector<std::int64_t>;  // characters, by their number in the alphabet

// Interpolated Kneser-Ney smoothing (Chen and Goodman 1999, An empirical study of smoothing techniques for language
// modeling). With c the count of a symbol w behind a context h, and h' the context without its first symbol,
//   p(w | h) = max(c(h w) - D, 0) / c(h) + D (kinds of symbols behind h) / c(h) p(w | h').
// In shorter contexts, c counts the different symbols before h w. Below the shortest one all symbols are alike.
class KneserNey {
 public:
  KneserNey(const Symbols& text, std::size_t alphabet, std::size_t n) : alphabet_(alphabet), orders_(n) {
    for (std::size_t i = n - 1; i < text.size(); ++i) ++orders_[n - 1].count[key(text, i, n)];
    std::uint64_t power = 1;  // alphabet^k, for k symbols
    for (std::size_t k = 1; k < n; ++k) power *= alphabet;
    for (std::size_t k = n; k-- > 0; power /= alphabet) {
      std::array<double, 3> kinds{};  // how many occur once and twice
      for (const auto& [gram, count] : orders_[k].count) {
        Context& context = orders_[k].contexts[gram / alphabet];
        context.count += count, ++context.kinds;
        if (count <= 2) ++kinds[static_cast<std::size_t>(count)];
        if (k > 0) ++orders_[k - 1].count[gram % power];
      }
      orders_[k].discount = kinds[1] / std::max(kinds[1] + 2 * kinds[2], 1.0);
    }
  }
  // Of the symbol w behind text[0 ... i - 1].
  double probability(const Symbols& text, std::size_t i, std::uint64_t w) const {
    double p = 1 / static_cast<double>(alphabet_);
    for (std::size_t k = 0; k < std::min(orders_.size(), i + 1); ++k) {
      const std::uint64_t before = k == 0 ? 0 : key(text, i - 1, k);
      const auto context = orders_[k].contexts.find(before);
      if (context == orders_[k].contexts.end()) break;  // no longer one is known, either
      const auto found = orders_[k].count.find(before * alphabet_ + w);
      const double count = found == orders_[k].count.end() ? 0 : found->second, discount = orders_[k].discount;
      p = (std::max(count - discount, 0.0) + discount * context->second.kinds * p) / context->second.count;
    }
    return p;
  }

 private:
  struct Context {
    double count = 0, kinds = 0;
  };
  struct Order {
    std::unordered_map<std::uint64_t, double> count;  // of k symbols and one behind them
    std::unordered_map<std::uint64_t, Context> contexts;
    double discount = 0;
  };
  // The k symbols that end at text[i], as one number.
  std::uint64_t key(const Symbols& text, std::size_t i, std::size_t k) const {
    std::uint64_t result = 0;
    for (std::size_t j = i + 1 - k; j <= i; ++j) result = result * alphabet_ + static_cast<std::uint64_t>(text[j]);
    return result;
  }

  std::uint64_t alphabet_;
  std::vector<Order> orders_;
};

struct GptOptions {
  std::size_t alphabet = 0, together = 8, width = 128, layers = 3, heads = 4, context = 64;
  double dropout = 0;
};

// Radford et al. 2018, Improving language understanding by generative pre-training, with the norms before attention and
// feed-forward parts. For characters (batch, steps) it gives the logits of the next ones (batch, steps, alphabet). A
// character comes with some before it, and each distance has vectors of its own: attention need not find them first.
struct Gpt : nn::Module {
  GptOptions options;
  nn::EmbeddingBag characters;
  nn::LearnedEncoding positions;
  nn::TransformerEncoder blocks;
  nn::Dense head;
  explicit Gpt(const GptOptions& o)
      : options(o),
        characters(o.alphabet * o.together, o.width, {.mode = nn::BagMode::sum, .weight_init = nn::normal(0, 0.02)}),
        positions(o.context, o.width, {.dropout = o.dropout, .batch_first = true}),
        blocks(nn::TransformerEncoderLayer(o.width, o.heads, {.dim_feedforward = 4 * o.width, .dropout = o.dropout,
                                                              .activation = nn::TransformerActivation::gelu,
                                                              .batch_first = true, .norm_first = true}),
               o.layers, nn::LayerNorm(o.width)),
        head(o.width, o.alphabet) {
    add("characters", characters);
    add("positions", positions);
    add("blocks", blocks);
    add("head", head);
  }
  Variable forward(const Variable& x) override {
    const auto steps = static_cast<std::ptrdiff_t>(x.shape(1)), n = static_cast<std::ptrdiff_t>(options.together);
    const Variable distance = arange(n), place = maximum(expand_dims(arange(steps), 1) - distance, 0);  // (steps, n)
    const Variable rows = take(x, place, 1) + static_cast<std::int64_t>(options.alphabet) * distance;
    const Variable vectors = characters(reshape(rows, {-1, n}));  // (batch * steps, width)
    return head(blocks(positions(reshape(vectors, {-1, steps, std::ptrdiff_t(options.width)})), {.is_causal = true}));
  }
};

// Windows of text, (starts, length).
Variable windows(const Variable& text, const Variable& starts, std::size_t length) {
  return take(text, expand_dims(starts, 1) + arange(static_cast<std::int64_t>(length)));
}

// Bits a character. Windows overlap by half, and only the second half counts, where there is enough to look back at.
// Where there are more windows than wanted, they are spread evenly over the text.
double bits(Gpt& net, const Variable& text, std::size_t most_windows) {
  NoGrad guard;
  net.eval();
  const std::size_t context = net.options.context;
  const auto half = static_cast<std::ptrdiff_t>(context / 2);
  const auto total = static_cast<std::ptrdiff_t>((text.size() - 1) / (context / 2) - 1);
  const auto count = std::min(static_cast<std::ptrdiff_t>(most_windows), total);
  double sum = 0;
  for (std::ptrdiff_t first = 0; first < count; first += 32) {
    std::vector<std::int64_t> starts;
    for (std::ptrdiff_t i = first; i < std::min(first + 32, count); ++i) starts.push_back(half * (i * total / count));
    const Variable chosen = windows(text, Variable(std::move(starts)), context + 1);
    const Variable logits = net(chosen[{all, range(0, -1)}])[{all, range(half, none)}];
    const Variable next = chosen[{all, range(half + 1, none)}];
    sum += nn::softmax_cross_entropy(logits, next, {.reduction = nn::Reduction::sum}).item();
  }
  net.train();
  return sum / static_cast<double>(count * half) / std::numbers::ln2;
}
// Of the same characters.
double bits(const KneserNey& model, const Symbols& text, std::size_t context) {
  double sum = 0;
  const std::size_t half = context / 2, end = (text.size() - 1) / half * half;
  for (std::size_t i = half + 1; i <= end; ++i)
    sum -= std::log2(model.probability(text, i, static_cast<std::uint64_t>(text[i])));
  return sum / static_cast<double>(end - half);
}

// Draws the next characters one by one: from softmax(logits / temperature) of the `k` likeliest.
Symbols generate(Gpt& net, Symbols text, std::size_t length, double temperature, std::size_t k) {
  NoGrad guard;
  net.eval();
  while (length-- > 0) {
    const auto known = static_cast<std::ptrdiff_t>(std::min(text.size(), net.options.context));
    const Variable seen(Symbols(text.end() - known, text.end()));
    const auto [values, likeliest] = topk(net(expand_dims(seen, 0))[{0, -1}], k);
    text.push_back(take(likeliest, multinomial(softmax(values / temperature, -1), 1)).item<std::int64_t>());
  }
  return text;
}

int main(int argc, char** argv) {
  example::Program program("char_transformer", "A small GPT on the characters of a text, beside a 5-gram model.");
  std::string file;
  GptOptions options;
  std::size_t batch_size = 8, steps = 9'000, length = 600, k = 20;
  double lr = 2e-3, temperature = 0.8;
  program.option("--text", file, "a text file in UTF-8, plain or gzip; else Moby-Dick is downloaded");
  program.option("--together", options.together, "characters that a place sees at once: its own and those before");
  program.option("--width", options.width, "of the vectors");
  program.option("--layers", options.layers, "blocks of attention and feed-forward part");
  program.option("--heads", options.heads, "of the attention");
  program.option("--context", options.context, "characters to look back at");
  program.option("--dropout", options.dropout, "part of the activations that is dropped");
  program.option("--batch", batch_size, "windows of text in a step");
  program.option("--steps", steps, "of training");
  program.option("--lr", lr, "greatest learning rate");
  program.option("--length", length, "of the text that it writes");
  program.option("--temperature", temperature, "of what it writes: below 1 it dares less");
  program.option("--top-k", k, "it draws from so many characters, the likeliest");
  return program.run(argc, argv, [&] {
    const std::vector<std::string> characters = example::characters(example::text_for(program, file).content);
    std::map<std::string, std::int64_t> number;
    for (const std::string& c : characters) number[c] = 0;
    std::vector<std::string> alphabet;
    for (auto& [c, i] : number) i = static_cast<std::int64_t>(alphabet.size()), alphabet.push_back(c);
    Symbols symbols;
    for (const std::string& c : characters) symbols.push_back(number[c]);
    const auto split = symbols.begin() + static_cast<std::ptrdiff_t>(symbols.size() * 9 / 10);
    const Symbols first(symbols.begin(), split), last(split, symbols.end());
    const Variable train{Symbols(first)}, test{Symbols(last)};

    const KneserNey ngram(first, alphabet.size(), 5);
    const double ngram_bits = bits(ngram, last, options.context);
    double sum = 0;
    for (std::uint64_t w = 0; w < alphabet.size(); ++w) sum += ngram.probability(last, 100, w);
    program.result("ngram_sum_of_probabilities", sum);
    program.result("ngram_bits_per_char", ngram_bits);

    if (program.quick()) options.width = 64, options.layers = 2, steps = 320;
    options.alphabet = alphabet.size();
    Gpt net(options);
    optim::AdamW adam(net.parameters(), {.lr = lr, .beta2 = 0.99, .weight_decay = 0.1});
    const std::size_t warm = steps / 20 + 1, part = std::max<std::size_t>(steps / 20, 1);
    optim::WarmUpLR warm_up(adam, {.steps = static_cast<std::int64_t>(warm)});
    optim::CosineAnnealingLR cosine(adam, {.T_max = static_cast<std::int64_t>(steps)});
    optim::ChainedScheduler schedule(adam, {warm_up, cosine});
    std::vector<double> step, train_bits, test_bits;
    double recent = 0;
    for (example::Progress progress("training", steps); progress.next();) {
      const Variable starts = randint(static_cast<std::int64_t>(train.size() - options.context), {batch_size});
      const Variable chosen = windows(train, starts, options.context + 1);
      adam.zero_grad();
      Variable loss = nn::softmax_cross_entropy(net(chosen[{all, range(0, -1)}]), chosen[{all, range(1, none)}]);
      loss.backward();
      clip_grad_norm(net.parameters(), 1);
      adam.step();
      schedule.step();
      recent += loss.item() / std::numbers::ln2 / static_cast<double>(part);
      if ((progress.step() + 1) % part != 0) continue;
      step.push_back(static_cast<double>(progress.step() + 1));
      train_bits.push_back(std::exchange(recent, 0)), test_bits.push_back(bits(net, test, 64));
      progress.show("bits a character", test_bits.back());
    }

    example::Plot("Learning to write", "step", "bits a character").line("training", step, train_bits)
        .line("last tenth of the text", step, test_bits).dashed("5-gram, Kneser-Ney", {0, static_cast<double>(steps)},
                                                                {ngram_bits, ngram_bits}).save(program.file("learning"));
    const Symbols prompt(last.begin(), last.begin() + 32);
    std::string written;
    if (program.quick()) length = 150;
    for (std::int64_t c : generate(net, prompt, length, temperature, std::min(k, alphabet.size())))
      written += alphabet[static_cast<std::size_t>(c)];
    write_file_atomically(program.file("sample.txt"), written + '\n');
    std::cout << "--- it writes, after 32 characters of the book:\n" << written << "\n---\n";
    program.result("bits_per_char", bits(net, test, test.size()));
  });
}
