"""Words as any tool may print them: a random file of given values in each format."""

from foreign_files import lines

STYLES = ["hex", "memb", "coe", "coe2", "coe10", "mif", "c", "dec", "csv"]


def printed(rng, name, bits, values):
    """Signed values as some tool prints them; the value of a word is never changed."""
    unsigned = [v % 2**bits for v in values]
    if name in ("dec", "csv", "coe10"):
        texts = [str(v) for v in rng.choice((values, unsigned))]
        if name != "coe10" and rng.random() < 0.3:
            texts = [f"{int(t)}.000e0" for t in texts]
    elif name == "c":
        texts = [hex(v) + "u" for v in unsigned]
        if rng.random() < 0.5:
            texts = [str(v) if v < 0 or rng.random() < 0.5 else hex(v) for v in values]
    else:
        base = "b" if name in ("memb", "coe2") else "x"
        wide = rng.choice((bits, bits, 64))
        least = rng.choice((0, 1, 2, -(-bits // (1 if base == "b" else 4))))
        texts = [f"{v % 2**wide:0{least}{base}}" for v in values]
        if name in ("hex", "memb") and wide == bits and rng.random() < 0.3:
            longer = [f"0{base}{t}" for t in texts]
            # As many characters as the word has digits might be nibbles x.
            if base == "b" or any(len(t) != bits // 4 for t in longer):
                texts = longer
        if base == "x" and rng.random() < 0.5:
            texts = [t.upper().replace("0X", "0x") for t in texts]
    return texts


def file_of(rng, name, bits, values):
    """A whole file around them."""
    texts = printed(rng, name, bits, values)
    per_line = rng.choice((1, 3, len(texts)))
    blank = rng.choice((" ", "  ", "\t"))
    comma = name in ("coe", "coe2", "coe10", "c", "csv")
    mark = rng.choice((",", ", ", " ,")) if comma else blank
    rows = [mark.join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    if name in ("hex", "memb"):
        tails = ["", " // x", " # y", " /* z */"]
        return lines(row + rng.choice(tails) for row in rows)
    if name == "mif":
        radix = rng.choice(("HEX", "UNS"))
        at = range(0, len(texts), per_line)
        told = [f"{a:{'x' if radix == 'HEX' else 'd'}}" for a in at]
        fill = rng.choice(("", f"[0..{told[-1]}] : 0;\n"))
        body = fill + lines(f"{a} : {row}; -- q" for a, row in zip(told, rows, strict=True))
        return (f"WIDTH={bits};\nDEPTH={len(texts)};\nADDRESS_RADIX={radix};\nCONTENT BEGIN\n"
                f"{body}END;\n")  # fmt: skip
    body = (mark.strip() + "\n").join(rows) if comma and name != "csv" else lines(rows)
    if name == "c":
        return f"const int x[] = {{{body}{rng.choice(('', ','))}}};\n"
    if name.startswith("coe"):
        radix = {"coe": 16, "coe2": 2, "coe10": 10}[name]
        end = rng.choice((";", ",;", ",", "", "; end"))
        return f"memory_initialization_radix={radix};\nmemory_initialization_vector={body}{end}\n"
    return rng.choice(("", "# title\n")) + body
