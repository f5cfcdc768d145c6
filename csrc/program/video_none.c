/* video_none.c: what stands in for video_run.c where there are no headers of FFmpeg. */
#include <stdlib.h>

#include "video_run.h"

int video_plan(const struct arguments *arguments, struct message *message)
{
    (void)arguments;
    return message_set(message, "this mtcnn was built without FFmpeg; install its headers (Debian, "
                                "Ubuntu: libavformat-dev libswscale-dev) and build it "
                                "again, with -DMTCNN_PROGRAM_FFMPEG=ON");
}

int video_run(const struct arguments *arguments, mtcnn_detector *detector)
{
    (void)arguments;
    (void)detector;
    return EXIT_FAILURE;
}
