// Requantize of op conv2 of the shipped network: form "single" (SPEC 4.2.1), then SPEC 4.3.
//
// One accumulator a clock, in the order of the vectors: image, y, x, channel. The int8 result
// follows two clocks later. The constants come from the package that `intgold vectors` writes.
module conv2_requantize (
    input logic clk,
    input logic rst,
    input logic valid_in,
    input logic signed [31:0] acc,
    output logic valid_out,
    output logic signed [7:0] y
);
  localparam int CHANNELS = vectors_pkg::CONV2_REQUANTIZE_ENTRIES;
  localparam int LAST = CHANNELS - 1;
  localparam logic signed [63:0] ZERO_POINT = 64'(vectors_pkg::CONV2_Y_ZERO_POINT);
  localparam logic signed [63:0] ACT_MIN = 64'(vectors_pkg::CONV2_ACT_MIN);
  localparam logic signed [63:0] ACT_MAX = 64'(vectors_pkg::CONV2_ACT_MAX);
  localparam logic [32*CHANNELS-1:0] MULTIPLIERS =
      vectors_pkg::PARAMETERS_CONV2_REQUANTIZE_MULTIPLIER;
  localparam logic [8*CHANNELS-1:0] RIGHT_SHIFTS =
      vectors_pkg::PARAMETERS_CONV2_REQUANTIZE_RIGHT_SHIFT;

  initial if (vectors_pkg::CONV2_REQUANTIZE_FORM != 0) $fatal(1, "conv2 is not of form single");

  logic [$clog2(CHANNELS)-1:0] channel;
  logic signed [31:0] multiplier;
  logic valid;
  logic signed [63:0] product;
  logic [5:0] right_shift;

  assign multiplier = MULTIPLIERS[32*channel+:32];

  // Stage 1: the product, 31 x 31 bits and a sign.
  always_ff @(posedge clk)
    if (rst) begin
      channel <= 0;
      valid   <= 0;
    end else begin
      valid <= valid_in;
      if (valid_in) begin
        channel     <= channel == LAST[$clog2(CHANNELS)-1:0] ? 0 : channel + 1;
        product     <= acc * multiplier;
        right_shift <= RIGHT_SHIFTS[8*channel+:6];
      end
    end

  // Stage 2: add one half, shift, add the zero point, clamp.
  logic signed [63:0] half, rounded, result;
  always_comb begin
    half    = 64'sd1 << (right_shift - 1);
    rounded = (product + half) >>> right_shift;
    result  = rounded + ZERO_POINT;
    if (result < ACT_MIN) result = ACT_MIN;
    if (result > ACT_MAX) result = ACT_MAX;
  end

  always_ff @(posedge clk)
    if (rst) valid_out <= 0;
    else begin
      valid_out <= valid;
      y         <= result[7:0];
    end
endmodule
