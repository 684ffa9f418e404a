/* The epilogue of x86 vectors: every way to requantise, for blocks of one form.  For a file that
 * has defined NAME(), TARGET, INLINE, LANES and
 *
 *     epilogue_blocks(epilogue, blocks, channels, at, vectors, pooled, way)
 *         with literals for `vectors` of a pixel (1 or 2), `pooled` (0 or 1) and the way; beyond
 *         the short way `pooled` is no literal */

#define epilogue_way NAME(epilogue_way)
#define epilogue_simple NAME(epilogue_simple)
#define epilogue_any NAME(epilogue_any)

/* One block or two.  Pooled sums have code of their own in the short way only: in all of them
 * the file took half as long again, or twice as long, to compile. */
INLINE TARGET void epilogue_way(const intgold_epilogue *epilogue, const lane_epilogue *blocks,
                                int32_t channels, const intgold_pixels *at, const int way) {
    const int pooled = at->below != NULL;
    if (way != INTGOLD_WAY_SHORT && channels > LANES)
        epilogue_blocks(epilogue, blocks, channels, at, 2, pooled, way);
    else if (way != INTGOLD_WAY_SHORT)
        epilogue_blocks(epilogue, blocks, channels, at, 1, pooled, way);
    else if (channels > LANES && pooled)
        epilogue_blocks(epilogue, blocks, channels, at, 2, 1, way);
    else if (channels > LANES)
        epilogue_blocks(epilogue, blocks, channels, at, 2, 0, way);
    else if (pooled)
        epilogue_blocks(epilogue, blocks, channels, at, 1, 1, way);
    else
        epilogue_blocks(epilogue, blocks, channels, at, 1, 0, way);
}

TARGET static void epilogue_simple(const intgold_epilogue *epilogue, const lane_epilogue *blocks,
                                   int32_t channels, const intgold_pixels *at) {
    epilogue_way(epilogue, blocks, channels, at, INTGOLD_WAY_SHORT);
}

TARGET static void epilogue_any(const intgold_epilogue *epilogue, const lane_epilogue *blocks,
                                int32_t channels, const intgold_pixels *at) {
    switch (blocks->form) {
    case INTGOLD_FORM_DOUBLE:
        epilogue_way(epilogue, blocks, channels, at, INTGOLD_WAY_DOUBLE);
        break;
    case INTGOLD_FORM_DOUBLE_UP:
        epilogue_way(epilogue, blocks, channels, at, INTGOLD_WAY_DOUBLE_UP);
        break;
    case INTGOLD_FORM_FLOAT32:
    case INTGOLD_FORM_FLOAT64:
        epilogue_way(epilogue, blocks, channels, at, INTGOLD_WAY_NEAREST);
        break;
    default: epilogue_way(epilogue, blocks, channels, at, INTGOLD_WAY_LONG); break;
    }
}
