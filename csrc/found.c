#include "found.h"

#include <stdbool.h>

#include "error.h"
#include "model.h"

/* The faces of a result, or of its stage. */
static const mtcnn_face *result_faces(const mtcnn_findings *findings)
{
    const int stage = findings->stage;
    return stage ? findings->result->stages[stage - 1].faces : findings->result->faces;
}

int mtcnn_findings_count(const mtcnn_findings *findings)
{
    const int stage = findings->stage;
    return findings->tracks ? findings->tracks->count
           : stage          ? findings->result->stages[stage - 1].count
                            : findings->result->count;
}

const mtcnn_face *mt_found_face(const mtcnn_findings *findings, int index)
{
    return findings->tracks ? &findings->tracks->faces[index].face : &result_faces(findings)[index];
}

int mt_check_findings(const mtcnn_findings *findings, mtcnn_error *error)
{
    if (!findings || !findings->result == !findings->tracks)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "the findings must have either a result or tracks");
    if (findings->stage < 0 || findings->stage > (findings->tracks ? 0 : MT_STAGES))
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "stage %d: must be 0 to %d, and 0 where faces are tracked", findings->stage,
                       MT_STAGES);
    const int count = mtcnn_findings_count(findings);
    const bool none = findings->tracks ? !findings->tracks->faces : !result_faces(findings);
    if (count < 0 || (count && none))
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "%d faces: must not be negative, nor NULL",
                       count);
    return MTCNN_OK;
}
