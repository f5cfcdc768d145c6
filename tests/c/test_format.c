/* mtcnn_format: each form exactly, truncated texts, other locales, odd names. */
#include <locale.h>

#include "decimal.h"
#include "mtcnn.h"
#include "test.h"

static const mtcnn_face faces[2] = {
    {{1.25f, 2.5f, 30, 40.0625f}, 0.875f, {0, 0.5f, 10, 5.5f, 20, 11, 30, 16.5f, 40, 22}},
    {{-0.5f, 1e6f, 1, 2}, 0.0625f, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
};
static const mtcnn_face boxes[1] = {{{3, 4, 5, 6}, 0.5f, {0}}};
static const mtcnn_result result = {
    .count = 2,
    .faces = faces,
    .levels = 8,
    .pyramid_ms = 2.125,
    .total_ms = 23.0625,
    .stages = {{12345, 1, boxes, 9.9}, {180, 2, NULL, 6.5}, {35, 2, faces, 4.625}},
};
static const mtcnn_tracked_face tracked[1] = {
    {{{1, 2, 3, 4}, 1, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}, 4294967295u, 0}};
static const mtcnn_tracks tracks = {.count = 1, .faces = tracked, .total_ms = 1.5};

/* A text of a form, in a buffer of exactly its size; to be freed. */
static char *format(mtcnn_form form, const mtcnn_findings *findings)
{
    mtcnn_error error;
    size_t length, again;
    REQUIRE(mtcnn_format(form, findings, NULL, 0, &length, &error) == MTCNN_OK);
    char *guarded = test_guarded(length + 1), *text = malloc(length + 1);
    REQUIRE(text);
    CHECK(mtcnn_format(form, findings, guarded, length + 1, &again, NULL) == MTCNN_OK);
    CHECK(again == length && strlen(guarded) == length);
    memcpy(text, guarded, length + 1);
    test_guarded_free(guarded, length + 1);
    return text;
}

static void check(mtcnn_form form, const mtcnn_findings *findings, const char *expected)
{
    char *text = format(form, findings);
    if (strcmp(text, expected))
        fprintf(stderr, "'%s' is not '%s'\n", text, expected);
    CHECK(!strcmp(text, expected));
    free(text);
}

static void pictures(void)
{
    mtcnn_findings findings = {.source = "a.jpg", .width = 60, .height = 50, .result = &result};
    check(MTCNN_FORM_TEXT, &findings,
          "a.jpg\t1.25 2.50 30.00 40.06 0.8750 0.00 0.50 10.00 5.50 20.00 11.00 30.00 16.50 40.00 "
          "22.00\n"
          "a.jpg\t-0.50 1000000.00 1.00 2.00 0.0625 1.00 2.00 3.00 4.00 5.00 6.00 7.00 8.00 9.00 "
          "10.00\n");
    check(MTCNN_FORM_CSV, &findings,
          "a.jpg,1.250,2.500,30.000,40.062,0.875000,0.000,0.500,10.000,5.500,20.000,11.000,30.000,"
          "16.500,40.000,22.000\n"
          "a.jpg,-0.500,1000000.000,1.000,2.000,0.062500,1.000,2.000,3.000,4.000,5.000,6.000,7.000,"
          "8.000,9.000,10.000\n");
    check(MTCNN_FORM_WIDER, &findings,
          "a.jpg\n2\n1.250 2.500 28.750 37.562 0.87500000\n"
          "-0.500 1000000.000 1.500 -999998.000 0.06250000\n");
    check(MTCNN_FORM_SUMMARY, &findings, "a.jpg: 2 faces\n");
    check(MTCNN_FORM_TIMES, &findings,
          "a.jpg:\n"
          "  pyramid   8 levels                      2.12 ms\n"
          "  pnet      12345 cells  ->    1 boxes    9.90 ms\n"
          "  rnet      180 crops    ->    2 boxes    6.50 ms\n"
          "  onet      35 crops     ->    2 faces    4.62 ms\n"
          "  total                                  23.06 ms\n");
    findings.stage = 1;
    findings.timed = 1;
    check(
        MTCNN_FORM_JSON, &findings,
        "{\"image\": \"a.jpg\", \"width\": 60, \"height\": 50, \"stage\": \"pnet\", \"faces\": ["
        "{\"box\": [3.000, 4.000, 5.000, 6.000], \"score\": 0.500000}], \"levels\": 8, "
        "\"candidates\": {\"pnet\": [12345, 1], \"rnet\": [180, 2], \"onet\": [35, 2]}, "
        "\"milliseconds\": {\"pyramid\": 2.125, \"pnet\": 9.900, \"rnet\": 6.500, \"onet\": 4.625, "
        "\"total\": 23.062}}\n");
    check(MTCNN_FORM_TEXT, &findings, "a.jpg\t3.00 4.00 5.00 6.00 0.5000\n");
    check(MTCNN_FORM_CSV, &findings, "a.jpg,3.000,4.000,5.000,6.000,0.500000,,,,,,,,,,\n");
    check(MTCNN_FORM_SUMMARY, &findings, "a.jpg: 1 face\n");
}

static void frames(void)
{
    mtcnn_findings findings = {.source = "v.mp4",
                               .is_frame = 1,
                               .frame = 5000000000,
                               .seconds = 1.0625,
                               .width = 6,
                               .height = 5,
                               .tracks = &tracks,
                               .timed = 1};
    check(MTCNN_FORM_TEXT, &findings,
          "v.mp4\t5000000000\t1.062\t4294967295\t1.00 2.00 3.00 4.00 1.0000 1.00 2.00 3.00 4.00 "
          "5.00 6.00 7.00 8.00 9.00 10.00\n");
    check(MTCNN_FORM_CSV, &findings,
          "v.mp4,5000000000,1.062,4294967295,1.000,2.000,3.000,4.000,1.000000,1.000,2.000,3.000,"
          "4.000,5.000,6.000,7.000,8.000,9.000,10.000\n");
    check(MTCNN_FORM_JSON, &findings,
          "{\"video\": \"v.mp4\", \"frame\": 5000000000, \"seconds\": 1.062, \"width\": 6, "
          "\"height\": 5, \"faces\": [{\"id\": 4294967295, \"box\": [1.000, 2.000, 3.000, 4.000], "
          "\"score\": 1.000000, \"landmarks\": [[1.000, 2.000], [3.000, 4.000], [5.000, 6.000], "
          "[7.000, 8.000], [9.000, 10.000]]}], \"milliseconds\": {\"total\": 1.500}}\n");
    check(MTCNN_FORM_TIMES, &findings,
          "v.mp4:\n  total                                   1.50 ms\n");
    const mtcnn_result none = {0};
    findings = (mtcnn_findings){.source = "v", .is_frame = 1, .result = &none};
    check(MTCNN_FORM_TEXT, &findings, "");
    check(MTCNN_FORM_CSV, &findings, "");
    check(MTCNN_FORM_WIDER, &findings, "v\n0\n");
    check(MTCNN_FORM_JSON, &findings,
          "{\"video\": \"v\", \"frame\": 0, \"seconds\": 0.000, \"width\": 0, \"height\": 0, "
          "\"faces\": []}\n");
}

static void odd_names(void)
{
    const mtcnn_result none = {0}, one = {.count = 1, .faces = faces};
    mtcnn_findings findings = {.source = "q\"\\\b\f\n\r\t\x01\x7f/\xc3\xa9\xf0\x9f\x98\x80",
                               .result = &none};
    check(MTCNN_FORM_JSON, &findings,
          "{\"image\": \"q\\\"\\\\\\b\\f\\n\\r\\t\\u0001\x7f/\xc3\xa9\xf0\x9f\x98\x80\", "
          "\"width\": 0, \"height\": 0, \"faces\": []}\n");
    check(MTCNN_FORM_SUMMARY, &findings,
          "q\"\\???????"
          "/\xc3\xa9\xf0\x9f\x98\x80: 0 faces\n");
    /* not UTF-8: a lone byte, cut off, a surrogate, overlong, beyond U+10FFFF */
    findings.source = "\xff.\xc3.\xed\xa0\x80.\xc0\xaf.\xf4\x90\x80\x80";
    check(MTCNN_FORM_JSON, &findings,
          "{\"image\": \"\\\\xff.\\\\xc3.\\\\xed\\\\xa0\\\\x80.\\\\xc0\\\\xaf.\\\\xf4\\\\x90\\\\x80"
          "\\\\x80\", \"width\": 0, \"height\": 0, \"faces\": []}\n");
    check(MTCNN_FORM_WIDER, &findings, "\xff.\xc3.\xed\xa0\x80.\xc0\xaf.\xf4\x90\x80\x80\n0\n");
    /* Different names stay different: backslashes are doubled where one could be an escape. */
    static const char *const escaped[][2] = {{"\xff", "\\\\xff"},
                                             {"\\xff", "\\\\\\\\xff"},
                                             {"\\\xff", "\\\\\\\\\\\\xff"},
                                             {"a\\b", "a\\\\b"}};
    for (size_t i = 0; i < sizeof escaped / sizeof *escaped; i++) {
        char expected[128];
        snprintf(expected, sizeof expected,
                 "{\"image\": \"%s\", \"width\": 0, \"height\": 0, \"faces\": []}\n",
                 escaped[i][1]);
        findings.source = escaped[i][0];
        check(MTCNN_FORM_JSON, &findings, expected);
    }
    static const char *const quoted[][2] = {
        {"a,b", "\"a,b\",1.250"}, {"a\"b\"", "\"a\"\"b\"\"\",1.250"}, {"a\nb", "\"a\nb\",1.250"},
        {"\r", "\"\r\",1.250"},   {"a b\t", "a b\t,1.250"},           {"", ",1.250"}};
    findings.result = &one;
    for (int i = 0; i < 6; i++) {
        findings.source = quoted[i][0];
        char *text = format(MTCNN_FORM_CSV, &findings);
        CHECK(!strncmp(text, quoted[i][1], strlen(quoted[i][1])));
        free(text);
    }
}

/* Like snprintf: what fits, with the zero, and the length of the complete text. */
static void cut_texts(void)
{
    const mtcnn_findings findings = {.source = "a\xff,\".jpg", .result = &result, .timed = 1};
    for (mtcnn_form form = MTCNN_FORM_TEXT; form <= MTCNN_FORM_SUMMARY; form++) {
        char *whole = format(form, &findings);
        const size_t length = strlen(whole);
        for (size_t size = 0; size <= length + 2; size++) {
            size_t needed;
            char *text = test_guarded(size);
            CHECK(mtcnn_format(form, &findings, text, size, &needed, NULL) == MTCNN_OK);
            const size_t kept = size <= length ? size - 1 : length;
            CHECK(needed == length);
            CHECK(!size || (!memcmp(text, whole, kept) && !text[kept]));
            test_guarded_free(text, size);
        }
        free(whole);
    }
}

/* If one of these is installed, its decimal point is a comma. */
static void other_locales(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8",  "de_DE",       "fr_FR.UTF-8",
                                        "nl_NL.UTF-8", "pt_BR.UTF-8", "ps_AF.UTF-8", "ps_AF"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!setlocale(LC_ALL, names[i]))
            continue;
        char comma[16];
        snprintf(comma, sizeof comma, "%.1f", 0.5);
        CHECK(strcmp(comma, "0.5"));
        printf("%s: %s\n", names[i], comma);
        pictures();
        frames();
        setlocale(LC_ALL, "C");
    }
}

static void numbers(void)
{
    static const double values[] = {0.0,  -0.0, 0.5,     0.0625, 0.125,   -1.005,
                                    1e15, 1e22, 1.7e308, 5e-324, 999.9995};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (int digits = 1; digits <= 8; digits++) {
            char text[MT_DECIMAL_SIZE], expected[MT_DECIMAL_SIZE];
            snprintf(expected, sizeof expected, "%.*f", digits, values[i]);
            CHECK(!strcmp(mt_write_decimal(text, values[i], digits), expected));
        }
    char text[MT_DECIMAL_SIZE];
    CHECK(!strcmp(mt_write_decimal(text, -(double)NAN, 3), "nan"));
    CHECK(!strcmp(mt_write_decimal(text, INFINITY, 3), "inf"));
    CHECK(!strcmp(mt_write_decimal(text, -INFINITY, 3), "-inf"));
}

static void headers(void)
{
    CHECK(!strncmp(mtcnn_csv_header(0, 0), "image,x1,y1,x2,y2,score,left_eye_x,", 35));
    CHECK(!strncmp(mtcnn_csv_header(0, 1), "image,id,x1,", 12));
    CHECK(!strncmp(mtcnn_csv_header(1, 0), "video,frame,seconds,x1,", 23));
    CHECK(!strncmp(mtcnn_csv_header(7, -1), "video,frame,seconds,id,x1,", 26));
}

static void refuse(mtcnn_form form, const mtcnn_findings *findings, char *text, const char *message)
{
    mtcnn_error error;
    size_t length = 7;
    CHECK(mtcnn_format(form, findings, text, 9, &length, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(!length);
    CHECK_HOLDS(error.message, message);
}

static void bad_arguments(void)
{
    char text[9];
    const mtcnn_findings good = {.source = "a", .result = &result};
    mtcnn_findings bad = good;
    refuse(MTCNN_FORM_TEXT, NULL, text, "either a result or tracks");
    refuse(MTCNN_FORM_TEXT, &good, NULL, "must not be NULL");
    refuse((mtcnn_form)6, &good, text, "unknown form 6");
    bad.source = NULL;
    refuse(MTCNN_FORM_JSON, &bad, text, "must not be NULL");
    bad = (mtcnn_findings){.source = "a"};
    refuse(MTCNN_FORM_JSON, &bad, text, "either a result or tracks");
    bad = good;
    bad.stage = 2; /* whose faces are NULL */
    refuse(MTCNN_FORM_JSON, &bad, text, "2 faces");
    bad.stage = 4;
    refuse(MTCNN_FORM_JSON, &bad, text, "stage 4");
}

int main(void)
{
    pictures();
    frames();
    odd_names();
    cut_texts();
    other_locales();
    numbers();
    headers();
    bad_arguments();
    return test_end();
}
