/* Benchmarks: pieces of work to be timed from outside.  No part of the engine. */

/* Run one image a call, n calls: image i % count of the inputs, each output to the same place.
 * inputs: moved along by `steps` bytes an image, and back. */
INTGOLD_API intgold_status intgold_measure_run(intgold_context *context, int32_t n, int32_t count,
                                   int32_t n_inputs, const char **inputs, const size_t *steps,
                                   void *const *outputs);

/* The instruction that multiplies and adds in the variant that runs for `isa` here; NULL: none
 * of its own, or no such variant. */
INTGOLD_API const char *intgold_measure_dot_name(intgold_isa isa);

/* That instruction `rounds` times for each of several sums in registers, no memory touched.
 * Returns the multiply-adds that were done; 0 without the instruction. */
INTGOLD_API int64_t intgold_measure_dot(intgold_isa isa, int64_t rounds);

/* Requantise full vectors of sums that lie in the first cache, `rounds` times, with the variant's
 * own kernel and entry 0 of `by`.  Returns the values that were made; 0 without the variant. */
INTGOLD_API int64_t intgold_measure_requantize(intgold_isa isa, const intgold_requantize *by,
                                               int64_t rounds);

/* Look bytes that lie in the first cache up in a table of 256, `rounds` times, with the variant's
 * own kernel.  Returns the values that were made; 0 without the variant. */
INTGOLD_API int64_t intgold_measure_lut(intgold_isa isa, int64_t rounds);
