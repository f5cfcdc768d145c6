#include "activation.h"

#include <math.h>
#include <string.h>

/* The constants here and in mt_activate are Darknet's (src/activations.h), in single precision. */
#define LEAKY_SLOPE 0.1f
#define RELIE_SLOPE 0.01f

#define NAME(value, name) name,
static const char *const names[MT_ACTIVATIONS] = {MT_ACTIVATION_LIST(NAME)};
#undef NAME

bool mt_activation_of(const char *name, mt_activation *activation)
{
    for (int i = 0; i < MT_ACTIVATIONS; i++) {
        if (!strcmp(names[i], name)) {
            *activation = (mt_activation)i;
            return true;
        }
    }
    return false;
}

const char *mt_activation_names(void)
{
#define NAME(value, name) " " name
    return MT_ACTIVATION_LIST(NAME);
#undef NAME
}

bool mt_activation_slope(mt_activation activation, float *slope)
{
    switch (activation) {
    case MT_LINEAR: *slope = 1.0f; return true;
    case MT_RELU: *slope = 0.0f; return true;
    case MT_LEAKY: *slope = LEAKY_SLOPE; return true;
    case MT_RELIE: *slope = RELIE_SLOPE; return true;
    default: return false;
    }
}

static float stair(float x)
{
    float floored = floorf(x);
    if (fmodf(floored, 2.0f) == 0.0f)
        return floorf(x / 2.0f);
    return (x - floored) + floorf(x / 2.0f);
}

static float plse(float x)
{
    if (x < -4.0f)
        return 0.01f * (x + 4.0f);
    if (x > 4.0f)
        return 0.01f * (x - 4.0f) + 1.0f;
    return 0.125f * x + 0.5f;
}

static float lhtan(float x)
{
    if (x < 0.0f)
        return 0.001f * x;
    if (x > 1.0f)
        return 0.001f * (x - 1.0f) + 1.0f;
    return x;
}

#define EACH(expression) \
    for (size_t i = 0; i < count; i++) { \
        float x = values[i] + bias; \
        values[i] = (expression); \
    } \
    break

void mt_activate(float *values, size_t count, float bias, mt_activation activation)
{
    switch (activation) {
    case MT_LINEAR: EACH(x);
    case MT_LOGISTIC: EACH(1.0f / (1.0f + expf(-x)));
    case MT_LOGGY: EACH(2.0f / (1.0f + expf(-x)) - 1.0f);
    case MT_RELU: EACH(x > 0.0f ? x : 0.0f);
    case MT_ELU: EACH(x >= 0.0f ? x : expm1f(x));
    case MT_SELU: EACH(x >= 0.0f ? 1.0507f * x : 1.0507f * 1.6732f * expm1f(x));
    case MT_RELIE: EACH(x > 0.0f ? x : RELIE_SLOPE * x);
    case MT_RAMP: EACH((x > 0.0f ? x : 0.0f) + 0.1f * x);
    case MT_LEAKY: EACH(x > 0.0f ? x : LEAKY_SLOPE * x);
    case MT_TANH: EACH(tanhf(x));
    case MT_PLSE: EACH(plse(x));
    case MT_STAIR: EACH(stair(x));
    case MT_HARDTAN: EACH(x < -1.0f ? -1.0f : x > 1.0f ? 1.0f : x);
    case MT_LHTAN: EACH(lhtan(x));
    case MT_ACTIVATIONS: break;
    }
}
