// Plays the lines of a file, START VALID KEEP DATA SIGNATURE in hexadecimal, and compares after
// each beat.  +vectors=FILE names it; BYTES is that of the file.

module intgold_signature_tb #(
    parameter int BYTES = 1
);
  logic clk = 0, rst_n = 0, valid = 0, start = 0;
  logic [8*BYTES-1:0] data = 0, data_read;
  logic [BYTES-1:0] keep = 0, keep_read;
  logic valid_read, start_read;
  logic [31:0] signature, expected;
  string path;
  int file, beats, wrong, got;

  intgold_signature #(.BYTES(BYTES)) dut (.clk, .rst_n, .valid, .start, .data, .keep, .signature);

  always #5 clk = ~clk;

  initial begin
    if (!$value$plusargs("vectors=%s", path)) $fatal(1, "+vectors=FILE is missing");
    file = $fopen(path, "r");
    if (file == 0) $fatal(1, "%s cannot be read", path);
    @(posedge clk);
    @(posedge clk) rst_n <= 1;
    got = 5;
    while (got == 5) begin
      got = $fscanf(file, "%h %h %h %h %h\n", start_read, valid_read, keep_read, data_read, expected);
      start <= start_read;
      valid <= valid_read && got == 5;
      keep  <= keep_read;
      data  <= data_read;
      @(posedge clk);  // takes the beat
      @(negedge clk);
      if (got == 5) begin
        beats = beats + 1;
        if (signature !== expected) begin
          wrong = wrong + 1;
          $display("beat %0d: expected %08h, got %08h", beats, expected, signature);
        end
      end
    end
    $display("%0d beats, %0d wrong", beats, wrong);
    $finish;
  end
endmodule
