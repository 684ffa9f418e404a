// Drives the design with the accumulators of a vector set and compares what it gives, in C++.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "Vconv2_requantize.h"
#include "verilated.h"

// The words of a .hex file: one a line; a line may be a comment or an address.
static std::vector<uint32_t> read_hex(const std::string &path) {
    std::ifstream file(path);
    std::vector<uint32_t> words;
    for (std::string line; std::getline(file, line);)
        if (!line.empty() && line[0] != '/' && line[0] != '@')
            words.push_back(static_cast<uint32_t>(std::stoul(line, nullptr, 16)));
    if (words.empty()) throw std::runtime_error("no words in " + path);
    return words;
}

static void clock(Vconv2_requantize &dut) {
    dut.clk = 0;
    dut.eval();
    dut.clk = 1;
    dut.eval();
}

int main(int argc, char **argv) {
    VerilatedContext context;
    context.commandArgs(argc, argv);
    Vconv2_requantize dut(&context);
    const std::string set = "build/vectors/";
    const std::vector<uint32_t> accumulators = read_hex(set + "accumulators/conv2.hex");
    const std::vector<uint32_t> expected = read_hex(set + "outputs/conv2.hex");

    dut.rst = 1;
    dut.valid_in = 0;
    clock(dut);
    dut.rst = 0;
    size_t sent = 0, received = 0, differing = 0;
    // The pipeline has two stages; a design that gives too little ends the loop as well.
    for (size_t cycle = 0; cycle < accumulators.size() + 2; cycle++) {
        dut.valid_in = sent < accumulators.size();
        if (dut.valid_in) dut.acc = accumulators[sent++];
        clock(dut);
        if (!dut.valid_out) continue;
        const uint32_t got = static_cast<uint8_t>(dut.y);
        if (received >= expected.size() || got != expected[received])
            if (differing++ == 0)
                std::printf("word %zu: got %02x, accumulator %08x\n", received, unsigned(got),
                            unsigned(accumulators[received]));
        received++;
    }
    std::printf("%zu of %zu values, %zu differ\n", received, expected.size(), differing);
    return received == expected.size() && differing == 0 ? 0 : 1;
}
