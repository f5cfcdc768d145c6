/* The memory of a detector's threads. */
#include "cascade.h"

/* The buffers of a lane whose sizes depend on which tasks it happened to get; NULL after the last. */
static mt_buffer *shared_buffer(mt_lane *lane, int index)
{
    mt_buffer *const buffers[] = {
        &lane->stream.states,
        &lane->stream.rings,
        &lane->stream.scores,
        &lane->stream.maps,
        &lane->stream.winograd,
        &lane->candidates,
        &lane->kept,
        &lane->best.candidates,
        &lane->resizer.x_firsts,
        &lane->resizer.x_weights,
        &lane->resizer.y_taps,
        &lane->resizer.y_weights,
        &lane->resizer.sums,
        &lane->resizer.planar,
        &lane->workspaces[0].tensors,
        &lane->workspaces[0].arena,
        &lane->workspaces[1].tensors,
        &lane->workspaces[1].arena,
        &lane->workspaces[2].tensors,
        &lane->workspaces[2].arena,
    };
    return index < (int)(sizeof buffers / sizeof *buffers) ? buffers[index] : NULL;
}

bool mt_equalise_lanes(mtcnn_detector *detector)
{
    const int lanes = detector->options.threads;
    for (int index = 0; lanes > 1 && shared_buffer(&detector->lanes[0], index); index++) {
        size_t most = 0;
        for (int i = 0; i < lanes; i++) {
            const size_t bytes = shared_buffer(&detector->lanes[i], index)->bytes;
            most = bytes > most ? bytes : most;
        }
        for (int i = 0; i < lanes; i++) {
            mt_lane *lane = &detector->lanes[i];
            mt_buffer *buffer = shared_buffer(lane, index);
            if (buffer->bytes == most)
                continue;
            if (!mt_reserve(buffer, most, 1))
                return false;
            for (int stage = 0; stage < MT_STAGES; stage++)
                lane->workspaces[stage].network = NULL; /* a plan that was in it is gone */
        }
    }
    return true;
}

size_t mt_lane_bytes(const mt_lane *lane)
{
    size_t bytes = 0;
    for (int index = 0; shared_buffer((mt_lane *)lane, index); index++)
        bytes += shared_buffer((mt_lane *)lane, index)->bytes;
    return bytes;
}

void mt_lane_free(mt_lane *lane)
{
    for (int index = 0; shared_buffer(lane, index); index++)
        mt_release(shared_buffer(lane, index));
}
