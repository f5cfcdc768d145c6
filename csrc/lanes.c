/* The memory of a detector's threads. */
#include <string.h>

#include "cascade.h"

/* The lane's buffer of a number: its own first, then those of its parts; NULL after the last. */
static mt_buffer *buffer_at(mt_lane *lane, int number)
{
    const struct {
        mt_buffer *buffers;
        int count;
    } parts[] = {
        {lane->buffers, MT_LANE_BUFFERS},
        {lane->stream.buffers, MT_STREAM_BUFFERS},
        {lane->resizer.buffers, MT_RESIZER_BUFFERS},
        {lane->workspaces[MT_PNET].buffers, MT_WORKSPACE_BUFFERS},
        {lane->workspaces[MT_RNET].buffers, MT_WORKSPACE_BUFFERS},
        {lane->workspaces[MT_ONET].buffers, MT_WORKSPACE_BUFFERS},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; number -= parts[i++].count)
        if (number < parts[i].count)
            return &parts[i].buffers[number];
    return NULL;
}

/* Their sizes depend on which tasks a lane happened to get. */
bool mt_equalise_lanes(mtcnn_detector *detector)
{
    const int lanes = detector->options.threads;
    for (int number = 0; lanes > 1 && buffer_at(&detector->lanes[0], number); number++) {
        size_t most = 0;
        for (int i = 0; i < lanes; i++) {
            const size_t bytes = buffer_at(&detector->lanes[i], number)->bytes;
            most = bytes > most ? bytes : most;
        }
        for (int i = 0; i < lanes; i++) {
            mt_lane *lane = &detector->lanes[i];
            mt_buffer *buffer = buffer_at(lane, number);
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

void mt_forget_torn(mtcnn_detector *detector)
{
    if (!mt_use_is_torn(&detector->use))
        return;
    memset(detector->lanes, 0, (size_t)detector->options.threads * sizeof *detector->lanes);
    memset(detector->buffers, 0, sizeof detector->buffers);
    mt_use_end(&detector->use);
}

size_t mt_lane_bytes(mt_lane *lane)
{
    size_t bytes = 0;
    for (int number = 0; buffer_at(lane, number); number++)
        bytes += buffer_at(lane, number)->bytes;
    return bytes;
}

void mt_lane_free(mt_lane *lane)
{
    for (int number = 0; buffer_at(lane, number); number++)
        mt_release(buffer_at(lane, number));
}
