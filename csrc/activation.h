/* activation.h: the activations of stock Darknet. */
#ifndef MT_ACTIVATION_H
#define MT_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

typedef enum mt_activation {
    MT_LINEAR,
    MT_LOGISTIC,
    MT_LOGGY,
    MT_RELU,
    MT_ELU,
    MT_SELU,
    MT_RELIE,
    MT_RAMP,
    MT_LEAKY,
    MT_TANH,
    MT_PLSE,
    MT_STAIR,
    MT_HARDTAN,
    MT_LHTAN,
    MT_ACTIVATIONS
} mt_activation;

/* false for a name that stock Darknet does not know (which it would take for relu). */
bool mt_activation_of(const char *name, mt_activation *activation);

/* All names with blanks between them, for messages. */
const char *mt_activation_names(void);

/* values[i] = activation(values[i] + bias) */
void mt_activate(float *values, size_t count, float bias, mt_activation activation);

#endif
