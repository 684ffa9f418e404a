// Feeds the accumulators of the set to the design and dumps what it gives, for `intgold verify`.
module tb;
  localparam int WORDS = vectors_pkg::IMAGES * vectors_pkg::ACCUMULATORS_CONV2_WORDS;

  logic signed [31:0] accumulators[0:WORDS-1];
  logic signed [7:0] results[0:WORDS-1];
  logic clk = 0, rst = 1, valid_in = 0;
  logic signed [31:0] acc;
  logic valid_out;
  logic signed [7:0] y;
  integer sent, received;

  conv2_requantize dut (
      .clk(clk), .rst(rst), .valid_in(valid_in), .acc(acc), .valid_out(valid_out), .y(y)
  );

  always #5 clk = !clk;

  // Inputs change at the falling edge, so that no race with the design is possible.
  initial begin
    $readmemh("build/vectors/accumulators/conv2.hex", accumulators);
    repeat (2) @(negedge clk);
    rst = 0;
    for (sent = 0; sent < WORDS; sent = sent + 1) begin
      valid_in = 1;
      acc = accumulators[sent];
      @(negedge clk);
    end
    valid_in = 0;
  end

  initial begin
    received = 0;
    while (received < WORDS) begin
      @(negedge clk);
      if (valid_out) begin
        results[received] = y;
        received = received + 1;
      end
    end
    $writememh("build/dump/outputs/conv2.hex", results);
    $finish;
  end
endmodule
