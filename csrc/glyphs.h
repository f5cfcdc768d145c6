/* glyphs.h: a bitmap font of the printable ASCII characters, for labels. */
#ifndef MT_GLYPHS_H
#define MT_GLYPHS_H

#include <stdbool.h>

#define MT_GLYPH_WIDTH 5
#define MT_GLYPH_HEIGHT 7
#define MT_GLYPH_ROWS (MT_GLYPH_HEIGHT + 1) /* with the tails of g, j, p, q and y */
#define MT_GLYPH_STEP (MT_GLYPH_WIDTH + 1)  /* from one glyph to the next */

/*
 * Whether a pixel of the character's glyph is set: column 0..MT_GLYPH_WIDTH - 1 from the left, row
 * 0..MT_GLYPH_ROWS - 1 from the top. Whatever is not printable ASCII is a box.
 */
bool mt_glyph_has_ink(char character, int column, int row);

#endif
