// Signature of a result for a chip that cannot dump (SPEC 10.9): a running CRC-32 of its bytes.
//
// Polynomial 0x04c11db7, reflected; the state starts at all ones and is inverted at the output,
// as in Ethernet and zlib.  Read `signature` after any beat: it is that of all bytes since `start`.

`default_nettype none

module intgold_signature #(
    parameter BYTES = 1                // of a beat
) (
    input  wire               clk,
    input  wire               rst_n,   // synchronous
    input  wire               valid,   // a beat
    input  wire               start,   // with valid: the first beat of an image
    input  wire [8*BYTES-1:0] data,    // the first byte in the least significant bits
    input  wire [BYTES-1:0]   keep,    // the bytes that count
    output wire [31:0]        signature
);
  localparam [31:0] POLYNOMIAL = 32'hedb8_8320;

  function automatic [31:0] after_byte(input [31:0] crc, input [7:0] octet);
    integer i;
    begin
      after_byte = crc ^ {24'd0, octet};
      for (i = 0; i < 8; i = i + 1)
        after_byte = after_byte[0] ? (after_byte >> 1) ^ POLYNOMIAL : after_byte >> 1;
    end
  endfunction

  function automatic [31:0] after_beat(
      input [31:0] crc, input [8*BYTES-1:0] octets, input [BYTES-1:0] kept
  );
    integer i;
    begin
      after_beat = crc;
      for (i = 0; i < BYTES; i = i + 1)
        if (kept[i]) after_beat = after_byte(after_beat, octets[8*i+:8]);
    end
  endfunction

  reg [31:0] state;

  always_ff @(posedge clk)
    if (!rst_n) state <= 32'hffff_ffff;
    else if (valid) state <= after_beat(start ? 32'hffff_ffff : state, data, keep);

  assign signature = ~state;
endmodule

`default_nettype wire
