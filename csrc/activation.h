/* activation.h: the activations of stock Darknet. */
#ifndef MT_ACTIVATION_H
#define MT_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

/* Each activation, and its name in a cfg. */
#define MT_ACTIVATION_LIST(EACH) \
    EACH(MT_LINEAR, "linear") \
    EACH(MT_LOGISTIC, "logistic") \
    EACH(MT_LOGGY, "loggy") \
    EACH(MT_RELU, "relu") \
    EACH(MT_ELU, "elu") \
    EACH(MT_SELU, "selu") \
    EACH(MT_RELIE, "relie") \
    EACH(MT_RAMP, "ramp") \
    EACH(MT_LEAKY, "leaky") \
    EACH(MT_TANH, "tanh") \
    EACH(MT_PLSE, "plse") \
    EACH(MT_STAIR, "stair") \
    EACH(MT_HARDTAN, "hardtan") \
    EACH(MT_LHTAN, "lhtan")

#define MT_ENUMERATOR(value, name) value,
typedef enum mt_activation { MT_ACTIVATION_LIST(MT_ENUMERATOR) MT_ACTIVATIONS } mt_activation;
#undef MT_ENUMERATOR

/* false for a name that stock Darknet does not know (which it would take for relu). */
bool mt_activation_of(const char *name, mt_activation *activation);

/* All names, each with a blank before it, for messages. */
const char *mt_activation_names(void);

/*
 * Whether the activation is linear on both sides of zero, with slope 1 above; *slope: that below.
 */
bool mt_activation_slope(mt_activation activation, float *slope);

/* values[i] = activation(values[i] + bias) */
void mt_activate(float *values, size_t count, float bias, mt_activation activation);

#endif
