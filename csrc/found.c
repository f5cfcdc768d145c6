#include "found.h"

#include "error.h"

int mt_found_count(const mtcnn_findings *findings)
{
    if (findings->tracks)
        return findings->tracks->count;
    return findings->stage ? findings->result->stages[findings->stage - 1].count
                           : findings->result->count;
}

const mtcnn_face *mt_found_face(const mtcnn_findings *findings, int index)
{
    if (findings->tracks)
        return &findings->tracks->faces[index].face;
    return (findings->stage ? findings->result->stages[findings->stage - 1].faces
                            : findings->result->faces) +
           index;
}

int mt_check_findings(const mtcnn_findings *findings, mtcnn_error *error)
{
    if (!findings || !findings->result == !findings->tracks)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "the findings must have either a result or tracks");
    if (findings->stage < 0 || findings->stage > (findings->tracks ? 0 : 3))
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "stage %d: must be 0 to 3, and 0 where faces are tracked", findings->stage);
    const int count = mt_found_count(findings);
    const void *faces = findings->tracks  ? (const void *)findings->tracks->faces
                        : findings->stage ? findings->result->stages[findings->stage - 1].faces
                                          : findings->result->faces;
    if (count < 0 || (count && !faces))
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "%d faces: must not be negative, nor NULL",
                       count);
    return MTCNN_OK;
}
