"""Files as other tools write them, byte for byte, and a damaged place in each."""

VALUES = [0, 1, -1, 127, -128, 16, -16, 5]


def lines(texts, end="\n"):
    return "".join(f"{text}{end}" for text in texts)


UNSIGNED = [v % 256 for v in VALUES]
PLAIN = ["00", "01", "ff", "7f", "80", "10", "f0", "05"]
SHORT = ["0", "1", "ff", "7f", "80", "10", "f0", "5"]
EXTENDED = [f"{v % 2**32:x}" for v in VALUES]
XXD = """unsigned char outputs_x_bin[] = {
  0x00, 0x01, 0xff, 0x7f, 0x80, 0x10,
  0xf0, 0x05
};
unsigned int outputs_x_bin_len = 8;
"""
VIVADO = """; Sample memory initialization file for Single Port Block Memory,
; v3.0 or later.
;
memory_initialization_radix=16;
memory_initialization_vector=
00,
01,
ff,
7f,
80,
10,
f0,
05;
"""
QUARTUS = """-- Copyright (C) 2020  Intel Corporation. All rights reserved.
-- Your use of Intel Corporation's design tools; logic functions

-- Quartus Prime generated Memory Initialization File (.mif)

WIDTH=8;
DEPTH=16;

ADDRESS_RADIX=UNS;
DATA_RADIX=UNS;

CONTENT BEGIN
\t0    :   0;
\t1    :   1;
\t2    :   255;
\t3    :   127;
\t4    :   128;
\t5    :   16;
\t6    :   240;
\t7    :   5;
\t[8..15]  :   0;
END;
"""
FILLED = """DEPTH = 256; -- words
WIDTH = 8;
ADDRESS_RADIX = HEX;
DATA_RADIX = DEC;
CONTENT
BEGIN
[0..FF] : 0;
1 : 1 -1 127;   % four to seven
                  follow %
04 : -128;
[5..6] : 16 -16;
7 : 5;
END;
"""
PANDAS = ",0,1,2,3\n0,0,1,-1,127\n1,-128,16,-16,5\n"
OBJCOPY = ":080000000001FF7F8010F005F4\n:00000001FF\n"

READ = {
    ("coe", "Vivado"): VIVADO,
    ("coe", "comments after keywords"):
        "MEMORY_INITIALIZATION_RADIX = 10; signed\nMemory_Initialization_Vector = 0, 1, -1, 127,\n"
        "-128 16 -16\n5; the end\n; nothing more\n",
    ("coe", "trailing comma, no semicolon"):
        "memory_initialization_radix=16;\nmemory_initialization_vector=\n"
        + ", ".join(SHORT[:4]) + ",\n" + ",".join(SHORT[4:]) + ",\n",
    ("coe", "spaces, unsigned decimals"):
        "memory_initialization_radix = 10;\nmemory_initialization_vector = "
        + " ".join(map(str, UNSIGNED)) + ";",
    ("coe", "radix 2 by its own word"):
        "memory_initialization_radix=2;\r\nmemory_initialization_vector=\r\n"
        + ",\r\n".join(f"{v:08b}" for v in UNSIGNED) + ";\r\n",
    ("coe", "octal"): "memory_initialization_radix=8; memory_initialization_vector="
        + ",".join(f"{v:o}" for v in UNSIGNED) + ";",
    ("mif", "Quartus"): QUARTUS,
    ("mif", "filled, then overwritten"): FILLED,
    ("mif", "an image generator"):
        "DEPTH = 8;\nWIDTH = 8;\nADDRESS_RADIX = HEX;\nDATA_RADIX = HEX;\nCONTENT\nBEGIN\n"
        + lines(f"{i:08x} : {t};" for i, t in enumerate(PLAIN)) + "END;\n",
    ("mif", "no radix, one line, no last semicolon"):
        "depth=8;width=8;content begin 0:" + " ".join(SHORT) + ";end",
    ("mif", "octal addresses, binary"): "WIDTH=8;\nDEPTH=10;\nADDRESS_RADIX=OCT;\nDATA_RADIX=BIN;\n"
        "CONTENT BEGIN\n" + lines(f"{i:o}:{v:b};" for i, v in enumerate(UNSIGNED)) + "END;",
    ("mif", "sign-extended"): "WIDTH=8;DEPTH=8;CONTENT BEGIN\n"
        + lines(f"{i:X}: {t};" for i, t in enumerate(EXTENDED)) + "END;",
    ("hex", "Icarus $writememh"): "// 0x00000000\n" + lines(PLAIN),
    ("hex", "ModelSim mem save"):
        "// memory data file (do not edit the following line - required for mem load use)\n"
        "// instance=/tb/y\n// format=hex addressradix=h dataradix=h version=1.0 wordsperline=4\n"
        "@0 00 01 ff 7f\n@4 80 10 f0 05\n",
    ("hex", "objcopy -O verilog"): "@00000000\r\n00 01 FF 7F 80 10 F0 05 \r\n",
    ("hex", "# comments"): "#Format=Hex\n#Depth=8\n#Width=8\n" + lines(PLAIN, " # a word\n"),
    ("hex", "srec_cat"): "/* http://srecord.sourceforge.net/ */\n@00000000 " + " ".join(PLAIN[:4])
        + "\n@00000004 " + " ".join(PLAIN[4:]) + "\n",
    ("hex", 'printf("%x")'): lines(EXTENDED),
    ("hex", 'printf("%02x") of ints'): lines(f"{v % 2**32:02x}" for v in VALUES),
    ("hex", 'printf("%08X")'): lines(f"{v % 2**32:08X}" for v in VALUES),
    ("hex", "Python hex()"): lines(hex(v) for v in UNSIGNED),
    ("hex", '"0x%02X"'): lines(f"0x{v:02X}" for v in UNSIGNED),
    ("hex", "UTF-8 mark, tabs"): b"\xef\xbb\xbf\t" + "\t".join(PLAIN).encode(),
    ("mem", "XPM"): "@0 " + " ".join(PLAIN),
    ("memb", "GHDL write(std_logic_vector)"): lines(f"{v:08b}" for v in UNSIGNED),
    ("memb", "prefix, groups"): lines(f"0b{v >> 4:04b}_{v & 15:04b}" for v in UNSIGNED),
    ("memb", "bin()"): lines(f"{v:b}" for v in UNSIGNED),
    ("ihex", "objcopy"): OBJCOPY.replace("\n", "\r\n"),
    ("ihex", "lower case, trailing blanks"): OBJCOPY.lower().replace("\n", " \t\n"),
    ("ihex", "a start address, no last line feed"):
        ":0400000500000000F7\n:020000040000FA\n" + OBJCOPY.rstrip(),
    ("c", "xxd -i"): XXD,
    ("c", "signed, CRLF"): "#include <stdint.h>\r\n// made by a script\r\n"
        "const int8_t weights[8] PROGMEM = {\r\n" + lines((f"\t{v}," for v in VALUES), "\r\n")
        + "};\r\n",
    ("c", "two dimensions"): "static int x[2][4] = {{0, 1, -1, 127},\n {-128, 0x10, -16, 5}};",
    ("c", "C++"): '#ifdef __cplusplus\nextern "C" {\n#endif\nalignas(16) const signed char w[] = {'
        + ",".join(map(str, VALUES)) + "};\n#ifdef __cplusplus\n}\n#endif\n",
    ("dec", '$fdisplay("%d")'): lines(f"{v:4d}" for v in VALUES),
    ("dec", '$fdisplay("%d") of unsigned bytes'): lines(f"{v:3d}" for v in UNSIGNED),
    ("dec", "VHDL textio"): lines(map(str, VALUES), "\r\n"),
    ("dec", "numpy.savetxt"): lines(f"{v:.18e}" for v in VALUES),
    ("dec", "a comment, reals"): "# outputs\n" + lines(f"{v:+.1f}" for v in VALUES),
    ("csv", "numpy.savetxt(fmt='%d', delimiter=',')"): "0,1,-1,127\n-128,16,-16,5\n",
    ("csv", "pandas to_csv"): PANDAS,
    ("csv", "pandas to_csv(index=False)"): "0,1,2,3\n0,1,-1,127\n-128,16,-16,5\n",
    ("csv", "pandas, named"): ",c0,c1,c2,c3\na,0,1,-1,127\nb,-128,16,-16,5\n",
    ("csv", "one named column"): "value\n" + lines(VALUES),
    ("csv", "Excel, semicolons"):
        "channel 0;channel 1\r\n" + "0;1\r\n-1;127\r\n-128;16\r\n-16;5\r\n",
    ("csv", "quoted"): '"a","b"\n"0","1"\n"-1","127"\n"-128","16"\n"-16","5"\n',
    ("csv", "trailing commas, blanks"): "  0, 1, -1, 127,\n-128, 16, -16, 5,\n",
    ("csv", "tabs"): "a\tb\tc\td\n" + "0\t1\t-1\t127\n-128\t16\t-16\t5\n",
}  # fmt: skip
"""File by format and tool: each holds VALUES."""


DAMAGED = [
    ("coe", "Vivado", "ff,", "ff,,", "line 8: ',' without a word before it"),
    ("coe", "Vivado", "80,", "8,", "line 10: '8' has 1 hex digits, words before it are filled up"),
    ("coe", "Vivado", "80,", "xx,", r"line 10: word 4: 'xx' is undefined"),
    ("coe", "Vivado", "80,", "180,", "line 10: '180' has more than 8 bits"),
    ("coe", "Vivado", "7f,", "", "7 words instead of 8"),
    ("coe", "Vivado", "7f,", "7f, 7f,", "line 13: more words than 8"),
    ("coe", "Vivado", "7f,", "7f;", "more follows the end of the vector"),
    ("coe", "Vivado", "radix=16", "radix=3", "radix 3 is none of 2, 8, 10, 16"),
    ("coe", "Vivado", "_radix", "_radius", "not a coefficient file"),
    ("coe", "comments after keywords", "16 -16", "200 -16",
     "line 3: '200' is outside 8 bits, signed or unsigned, as the file has -128 as well"),
    ("coe", "comments after keywords", "-128", "-129", "line 3: '-129' is outside 8 bits"),
    ("coe", "comments after keywords", "127", "1.0", "line 2: '1.0' is no decimal number"),
    ("coe", "trailing comma, no semicolon", "ff, ", "ff, 03", "line 3: '037f' has"),
    ("mif", "Quartus", "DEPTH=16", "DEPTH=7", "DEPTH 7 instead of 8"),
    ("mif", "Quartus", "DEPTH=16", "DEPTH=12", "line 21: '.8..15.*beyond DEPTH 12"),
    ("mif", "Quartus", "WIDTH=8", "WIDTH=16", "WIDTH 16 instead of 8"),
    ("mif", "Quartus", "\t3    :   127;\n", "", "word 3: missing, at address 0x3"),
    ("mif", "Quartus", "\t3 ", "\t2 ", "line 16: word 2: given twice"),
    ("mif", "Quartus", "[8..15]", "[7..15]", "line 21: word 7: given twice"),
    ("mif", "Quartus", "255", "256", "line 15: '256' is outside 8 bits"),
    ("mif", "Quartus", "255", "-1", "line 17: '128' is outside 8 bits, signed or unsigned"),
    ("mif", "Quartus", "255;", "255", "line 15: '2    :   255.*' is not an address and a word"),
    ("mif", "Quartus", "END;", "", "no END"),
    ("mif", "Quartus", "5;\n\t[", "5;\n\t99 : 1;\n\t[", "line 21: .*beyond DEPTH 16"),
    ("mif", "filled, then overwritten", "7 : 5", "7 : 5;\n7 : 5", "line 13: word 7: given twice"),
    ("mif", "filled, then overwritten", "[0..FF]", "[0..100]", "line 7: .*beyond DEPTH 256"),
    ("mif", "filled, then overwritten", "7 : 5", "9 : 5",
     "line 12: address 0x9 is not of this file"),
    ("mif", "filled, then overwritten", "7 : 5", "7 : X", "line 12: word 7: 'X' is undefined"),
    ("mif", "an image generator", "00000003 :", "0000000G :", "line 10: .*no address"),
    ("hex", "Icarus $writememh", "7f", "7", "line 5: '7' has 1 hex digits, words before it are"),
    ("hex", "Icarus $writememh", "7f", "xX", "line 5: word 3: 'xX' is undefined"),
    ("hex", "Icarus $writememh", "7f", "0x", "line 5: word 3: '0x' is undefined"),
    ("hex", "Icarus $writememh", "7f", "0x7f", "line 5: '0x7f' has a prefix, not every word has"),
    ("hex", "Icarus $writememh", "05\n", "", "7 words instead of 8"),
    ("hex", "ModelSim mem save", "@4", "@3", "line 5: word 3: given twice"),
    ("hex", "ModelSim mem save", "@4", "@5", "line 5: address 0x8"),
    ("hex", "objcopy -O verilog", "05 ", "05 00 ",
     "line 2: address 0x8 is not of this file, whose addresses are 0x0 to 0x7"),
    ("hex", "# comments", "f0 #", "f0 ;", "line 10: ';' is no hex word"),
    ("hex", "# comments", "f0 #", ":f0 #", "line 10: ':f0' .*word; it looks like .* Intel HEX"),
    ("hex", "# comments", "f0 #", "f0 |..|", "line 10: .* no hex word; it looks like hexdump -C"),
    ("hex", 'printf("%x")', "ffffff80", "fffff780", "line 5: .*not copies of its sign"),
    ("hex", 'printf("%x")', "ffffff80", "ffffff7f", "line 5: .*not copies of its sign"),
    ("hex", 'printf("%02x") of ints', "10", "1", "line 6: '1' has 1 hex digits"),
    ("hex", 'printf("%08X")', "0000007F", "00000080", "line 4: .*not copies of its sign"),
    ("hex", "Python hex()", "0x7f", "7f", "line 1: '0x0' has a prefix, not every word has"),
    ("memb", "GHDL write(std_logic_vector)", "01111111", "0111U111", "line 4: word 3: .*undefined"),
    ("memb", "GHDL write(std_logic_vector)", "01111111", "0111111", "line 4: '0111111' has 7"),
    ("memb", "bin()", "1111111", "1111121", "line 3: '11111211' is no binary word"),
    ("ihex", "objcopy", "7F80", "7F81", "line 1: wrong checksum: .. instead of .."),
    ("ihex", "lower case, trailing blanks", "f005", "f0 05", "line 1: .*is no record"),
    ("ihex", "objcopy", ":00000001FF\r\n", "", "no end record"),
    ("c", "xxd -i", "0x7f, ", "0x7f ", "line 2: '0x7f 0x80' is no word"),
    ("c", "xxd -i", "0x7f", "0x17f", "line 2: '0x17f' is outside 8 bits"),
    ("c", "xxd -i", "0x7f", "0177", "line 2: '0177' is octal in C"),
    ("c", "xxd -i", "0xf0,", "0xf0, 0x00,", "more words than 8"),
    ("c", "xxd -i", "0xf0,", "", "7 words instead of 8"),
    ("c", "xxd -i", "len = 8", "len = 9", "'outputs_x_bin_len' is 9 instead of 8"),
    ("c", "xxd -i", "};", "}", "no end"),
    ("c", "xxd -i", "len = 8;", "len = 8;\nint y[] = {1};", "more follows the end of the array"),
    ("c", "signed, CRLF", "\t16,", "\t200,", "line 9: '200' is outside 8 bits, signed or unsigned"),
    ("dec", '$fdisplay("%d")', " 127", "   x", "line 4: word 3: 'x' is undefined"),
    ("dec", '$fdisplay("%d")', " 127", " 128", "line 4: '128' is outside 8 bits, signed or unsig"),
    ("dec", '$fdisplay("%d")', "-128", "-129", "line 5: '-129' is outside 8 bits"),
    ("dec", '$fdisplay("%d") of unsigned bytes', "240", "256", "line 7: '256' is outside 8 bits"),
    ("dec", '$fdisplay("%d") of unsigned bytes', "240", " -1", "line 7: '-1' is outside 8 bits, s"),
    ("dec", "numpy.savetxt", "1.27", "1.275", "line 4: .*is no integer"),
    ("dec", "numpy.savetxt", "1.270000000000000000e+02", "nan", "line 4: 'nan' is no decimal"),
    ("dec", "VHDL textio", "127", "12x", "line 4: '12x' is no decimal number"),
    ("csv", "pandas to_csv", "-16,5", "-16", "7 words instead of 8"),
    ("csv", "pandas to_csv", "-16,5", "-16,,5", "line 3: a value is missing"),
    ("csv", "pandas to_csv", "-16,5", "-16,5,5", "line 3: more words than 8"),
    ("csv", "pandas, named", "127", "z", "line 2: word 3: 'z' is undefined"),
    ("csv", "one named column", "value\n", "x\n", "line 1: word 0: 'x' is undefined"),
    ("csv", "one named column", "value\n", "value,\n0,", "line 2|words"),
    ("csv", "Excel, semicolons", "-1;127", "-1;127,5", "line 5: more words than 8"),
    ("csv", "quoted", '"16"', '"1"6"', "line 4: .*is no decimal number"),
]  # fmt: skip
