#include "help.h"

#include <stdbool.h>
#include <string.h>

#define WIDTH 80  /* columns */
#define INDENT 24 /* columns before an option's explanation */

/* Paragraphs of the help and the man page, wrapped when printed. */
static const char *const description[] = {
    "Finds faces and their five landmarks in pictures, turned upright as their EXIF orientation "
    "says, and in videos. Videos, and pictures in other formats than JPEG and PNG (WebP, BMP, "
    "TIFF, GIF), need FFmpeg's libraries.",
    "An INPUT is a picture, a folder (all pictures in it and below it, sorted by name), a pattern "
    "in quotes such as 'holiday/*.jpg', or - for a picture on standard input. A SOURCE is a video "
    "file, the URL of a stream, - for standard input, or the number of a camera; --video FILE and "
    "--camera N also name it. pymtcnn has the same verbs and options.",
    "Prints one line a face: the path, a tab, the box as x1 y1 x2 y2, the score, and x y of left "
    "eye, right eye, nose, left and right mouth corner, as seen in the picture, in pixels from its "
    "top left corner. In videos, the frame's number and its time in seconds, and with --track the "
    "face's id, follow the path, each with a tab.",
};
static const char *const exit_status[] = {
    "0 when all pictures were read, with faces or without; 1 when a picture or an output failed "
    "(the others are still processed); 2 when the command line is wrong. Ctrl-C ends the program "
    "as a signal does (a shell shows 130), and so does a closed pipe (141); files are written "
    "completely or not at all, except a video that Ctrl-C ends: it is finished up to that frame, "
    "and the status is 130.",
};
static const char *const examples[] = {
    "mtcnn party.jpg",
    "mtcnn --min-face 40 --threads 4 --out party-faces.jpg party.jpg",
    "mtcnn --json --jobs 4 --out faces/ holiday/ > faces.jsonl",
    "mtcnn --crops crops/ --crop-size 160 'holiday/*.jpg'",
    "mtcnn video --json --track --out party-faces.mp4 party.mp4",
    "mtcnn --wider predictions/ WIDER_val/images > /dev/null",
    "curl -s https://example.org/party.jpg | mtcnn --json -",
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Whether the row begins a new group of the help; *group is the previous one. */
static bool begins_group(const mtcnn_setting *setting, const char **group)
{
    if (*group && !strcmp(*group, setting->group))
        return false;
    *group = setting->group;
    return true;
}

/* ---- the help -------------------------------------------------------------------------------- */

/* Prints text, wrapped at spaces, from column on; lines after the first begin at indent. */
static void print_wrapped(FILE *stream, const char *text, int column, int indent)
{
    for (bool first = true;; first = false) {
        const int word = (int)strcspn(text, " ");
        if (!first && column + 1 + word > WIDTH) {
            fprintf(stream, "\n%*s", indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', stream);
            column++;
        }
        fprintf(stream, "%.*s", word, text);
        column += word;
        if (!text[word])
            break;
        text += word + 1;
    }
    fputc('\n', stream);
}

static void print_option(FILE *stream, const mtcnn_setting *setting, const mtcnn_options *options)
{
    char text[1024];
    int column = fprintf(stream, "  --%s%s%s", setting->option, setting->argument ? " " : "",
                         setting->argument ? setting->argument : "");
    fprintf(stream, "%*s", INDENT - column, "");
    mtcnn_setting_help(setting, options, text, sizeof text);
    print_wrapped(stream, text, INDENT, INDENT);
}

void help_print(FILE *stream, const mtcnn_options *options)
{
    fputs("usage: mtcnn [detect] [OPTION...] INPUT...\n"
          "       mtcnn video [OPTION...] SOURCE\n",
          stream);
    for (size_t i = 0; i < COUNT(description); i++) {
        fputc('\n', stream);
        print_wrapped(stream, description[i], 0, 0);
    }
    int count;
    const mtcnn_setting *settings = mtcnn_settings(&count);
    const char *group = NULL;
    for (int i = 0; i < count; i++) {
        if (!settings[i].option)
            continue;
        if (begins_group(&settings[i], &group))
            fprintf(stream, "\n%s\n", group);
        print_option(stream, &settings[i], options);
    }
    fputs("\nExit status\n  ", stream);
    for (size_t i = 0; i < COUNT(exit_status); i++)
        print_wrapped(stream, exit_status[i], 2, 2);
    fputs("\nExamples\n", stream);
    for (size_t i = 0; i < COUNT(examples); i++)
        fprintf(stream, "  %s\n", examples[i]);
}

/* ---- the man page ---------------------------------------------------------------------------- */

/* Text for man(7): minus signs instead of hyphens, no line that looks like a request. */
static void print_roff(FILE *stream, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stream);
    for (; *text; text++) {
        if (*text == '-')
            fputs("\\-", stream);
        else if (*text == '\\')
            fputs("\\e", stream);
        else
            fputc(*text, stream);
    }
    fputc('\n', stream);
}

static void print_section(FILE *stream, const char *heading, const char *const *paragraphs,
                          size_t count)
{
    fprintf(stream, ".SH %s\n", heading);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? ".PP\n" : "", stream);
        print_roff(stream, paragraphs[i]);
    }
}

void help_print_man(FILE *stream)
{
    fprintf(stream, ".TH MTCNN 1 \"\" \"mtcnn %s\" \"User Commands\"\n", mtcnn_version());
    fputs(".SH NAME\nmtcnn \\- find faces in pictures and videos\n"
          ".SH SYNOPSIS\n.B mtcnn\n[detect] [\\fIOPTION\\fR...] \\fIINPUT\\fR...\n.br\n"
          ".B mtcnn\nvideo [\\fIOPTION\\fR...] \\fISOURCE\\fR\n",
          stream);
    print_section(stream, "DESCRIPTION", description, COUNT(description));
    fputs(".SH OPTIONS\n", stream);
    int count;
    const mtcnn_setting *settings = mtcnn_settings(&count);
    const char *group = NULL;
    for (int i = 0; i < count; i++) {
        const mtcnn_setting *setting = &settings[i];
        char text[1024];
        if (!setting->option)
            continue;
        if (begins_group(setting, &group))
            fprintf(stream, ".SS %s\n", group);
        fputs(".TP\n.B ", stream);
        snprintf(text, sizeof text, "--%s%s%s", setting->option, setting->argument ? " \\fI" : "",
                 setting->argument ? setting->argument : "");
        for (const char *c = text; *c; c++)
            fprintf(stream, "%s%c", *c == '-' ? "\\" : "", *c);
        fputs("\n", stream);
        mtcnn_setting_help(setting, NULL, text, sizeof text);
        print_roff(stream, text);
    }
    print_section(stream, "EXIT STATUS", exit_status, COUNT(exit_status));
    fputs(".SH EXAMPLES\n.EX\n", stream);
    for (size_t i = 0; i < COUNT(examples); i++)
        print_roff(stream, examples[i]);
    fputs(".EE\n", stream);
}
