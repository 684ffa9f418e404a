/* The structure of a model, SPEC clauses 3, 5 and 6.2: everything that shows without reading the
 * arrays of its ops.
 *
 * Numbers of an op are checked by members.c, each by itself, and by op_rules.c, to each other.  The
 * order of tensors that clause 6.2 demands, inputs first and then what each op writes: tensor
 * n_inputs + i is the output of op i. */
#include "engine/validate.h"

#if !defined(INTGOLD_NO_CHECK)
#include <stddef.h>

#include "engine/members.h"
#include "engine/op_rules.h"

enum { OFFSET_STEP = 64 };

static intgold_status check_op(const intgold_model *model, int32_t i) {
    const intgold_op *op = &model->ops[i];
    const int32_t own = model->n_inputs + i; /* the tensor that it writes */
    const intgold_op_rules *by = intgold_op_rules_of(op->kind);
    intgold_op_ends at = {NULL, NULL, NULL};
    intgold_status found;
    int32_t k;
    if (!by) return INTGOLD_ERROR_UNKNOWN_OP;
    if (!op->fields || !op->inputs) return INTGOLD_ERROR_NULL;
    if (op->output != own) return INTGOLD_ERROR_GRAPH;
    for (k = 0; k < by->n_inputs; k++) {
        const int32_t t = op->inputs[k];
        if (t < 0 || t >= own) return INTGOLD_ERROR_GRAPH;
        if (!intgold_takes_dtype(by, model->tensors[t].dtype)) return INTGOLD_ERROR_DTYPE;
    }
    at.x = &model->tensors[op->inputs[0]];
    at.x2 = by->n_inputs > 1 ? &model->tensors[op->inputs[1]] : NULL;
    at.y = &model->tensors[own];
    found = intgold_check_members(op->kind, op->fields);
    if (found) return found;
    if (at.y->dtype != intgold_made_dtype(by, op->fields)) return INTGOLD_ERROR_DTYPE;
    return by->check(op->fields, &at);
}

static intgold_status check_counts(const intgold_model *model) {
    if (!model->tensors || !model->ops || !model->inputs || !model->outputs)
        return INTGOLD_ERROR_NULL;
    if (model->n_inputs < 1) return INTGOLD_ERROR_COUNT;
    if ((int64_t)model->n_inputs + model->n_ops != model->n_tensors) return INTGOLD_ERROR_COUNT;
    if (model->n_outputs < 1 || model->n_outputs > model->n_ops) return INTGOLD_ERROR_COUNT;
    if (model->activations_size < 0) return INTGOLD_ERROR_OFFSET;
    return INTGOLD_OK;
}

intgold_status intgold_check_op(const intgold_model *model, int32_t op) {
    const intgold_status found = check_counts(model);
    if (found) return found;
    return op < 0 || op >= model->n_ops ? INTGOLD_ERROR_ARGUMENT : check_op(model, op);
}

/* ---- The graph and its tensors. ---- */

static intgold_status check_ends(const intgold_model *model) {
    int32_t i, k;
    for (i = 0; i < model->n_inputs; i++)
        if (model->inputs[i] != i) return INTGOLD_ERROR_GRAPH;
    for (i = 0; i < model->n_outputs; i++) {
        if (model->outputs[i] < model->n_inputs || model->outputs[i] >= model->n_tensors)
            return INTGOLD_ERROR_GRAPH;
        for (k = 0; k < i; k++)
            if (model->outputs[k] == model->outputs[i]) return INTGOLD_ERROR_GRAPH;
    }
    return INTGOLD_OK;
}

/* Whether the caller's buffers hold it. */
static int is_end(const intgold_model *model, int32_t t) {
    int32_t i;
    for (i = 0; i < model->n_outputs; i++)
        if (model->outputs[i] == t) return 1;
    return t < model->n_inputs;
}

static int64_t validate_bytes_of(const intgold_tensor *tensor) {
    return (int64_t)tensor->size * (tensor->dtype == INTGOLD_INT32 ? 4 : 1);
}

static intgold_status check_tensor(const intgold_model *model, int32_t t) {
    const intgold_tensor *tensor = &model->tensors[t];
    if (tensor->dtype != INTGOLD_INT8 && tensor->dtype != INTGOLD_INT32) return INTGOLD_ERROR_DTYPE;
    if (tensor->size < 1 || tensor->size > INTGOLD_MOST_VALUES) return INTGOLD_ERROR_SHAPE;
    if (is_end(model, t)) {
        if (tensor->offset != -1) return INTGOLD_ERROR_OFFSET;
        return INTGOLD_OK;
    }
    if (tensor->offset < 0 || tensor->offset % OFFSET_STEP != 0) return INTGOLD_ERROR_OFFSET;
    if (tensor->offset + validate_bytes_of(tensor) > model->activations_size)
        return INTGOLD_ERROR_OFFSET;
    return INTGOLD_OK;
}

static int validate_overlap(const intgold_tensor *a, const intgold_tensor *b) {
    return a->offset + validate_bytes_of(a) > b->offset &&
           b->offset + validate_bytes_of(b) > a->offset;
}

/* The last op that reads the output of op i, or i. */
static int32_t last_reader(const intgold_model *model, int32_t i) {
    int32_t last, k;
    for (last = model->n_ops - 1; last > i; last--) {
        const intgold_op *op = &model->ops[last];
        for (k = 0; k < intgold_op_rules_of(op->kind)->n_inputs; k++)
            if (op->inputs[k] == model->n_inputs + i) return last;
    }
    return i;
}

/* Whether nothing is written over the output of op i while somebody still reads it. */
static int is_kept(const intgold_model *model, int32_t i) {
    const intgold_tensor *made = &model->tensors[model->n_inputs];
    const int32_t last = made[i].offset < 0 ? i : last_reader(model, i);
    int32_t k;
    for (k = i + 1; k <= last; k++)
        if (made[k].offset >= 0 && validate_overlap(&made[i], &made[k])) return 0;
    return 1;
}

/* Clause 6.2: each tensor takes a multiple of 64 bytes. */
static int64_t spans(const intgold_model *model) {
    int64_t total = 0;
    int32_t i;
    for (i = 0; i < model->n_tensors; i++)
        total +=
            (validate_bytes_of(&model->tensors[i]) + OFFSET_STEP - 1) / OFFSET_STEP * OFFSET_STEP;
    return total;
}

intgold_status intgold_check_structure(const intgold_model *model, int32_t *op) {
    intgold_status found = check_counts(model);
    int32_t i;
    *op = -1;
    if (!found) found = check_ends(model);
    for (i = 0; !found && i < model->n_inputs; i++) found = check_tensor(model, i);
    for (i = 0; !found && i < model->n_ops; i++) {
        *op = i;
        found = check_tensor(model, model->n_inputs + i);
        if (!found) found = check_op(model, i);
    }
    if (found) return found;
    *op = -1;
    if (spans(model) > INT32_MAX) return INTGOLD_ERROR_SIZE;
    for (i = 0; i < model->n_ops; i++) {
        *op = i;
        if (!is_kept(model, i)) return INTGOLD_ERROR_OFFSET;
    }
    *op = -1;
    return INTGOLD_OK;
}

#endif
