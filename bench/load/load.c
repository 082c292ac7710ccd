/* The clients of a benchmark: WebSocket or SSE, on one core, and they check every token they get.
 *
 *     load port=8000 kind=ws path=/ws ask='{"content":"{order}"}' streams=100 window=4
 *
 * It connects `streams` clients, has each ask for an answer (at most `starting` wait for their
 * first token at a time), and when all of them stream it prints {"mark": "begin"}, measures for
 * `window` seconds, prints {"mark": "end"}, reads the answers to their end (at most `drain`
 * seconds) and prints a last line with what came. Exit code 1 if the arguments are wrong; a lost,
 * doubled or misplaced token is counted and its first one described ("error").
 *
 * A token is `<index>:<CLOCK_MONOTONIC ns when the model server sent it> ` in the `content` of an
 * event whose `type` is `token`; an event of type `done` ends an answer. Its twin for want of a C
 * compiler is __main__.py.
 */
#include "client.h"

#define MANY 400 /* streams, of which it reads together what comes within BREATH microseconds: else
                  * most of the core goes into waking up */
#define BREATH 500

/* What the network brings within so many milliseconds. */
static void turn(int milliseconds) {
    struct epoll_event found[256];
    static int64_t before;
    int64_t begun = now();
    if (before && windowed && begun - before > longest_gap) longest_gap = begun - before;
    int ready = epoll_wait(poller, found, 256, milliseconds);
    before = now();
    for (int i = 0; i < ready; i++) {
        Client *c = found[i].data.ptr;
        if (c->fd < 0) continue;
        if (c->state == CONNECTING && found[i].events & EPOLLOUT && !(found[i].events & EPOLLERR))
            connected(c);
        else readable(c);
        if (c->stalled && c->state == STREAMING) /* from here on it does not read */
            epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, NULL), c->stalled = 2;
    }
    if (counts[STREAMING] > MANY) usleep(BREATH);
}
static void say(const char *mark) {
    printf("{\"mark\": \"%s\", \"at\": %lld, \"streaming\": %d}\n", mark, (long long)now(),
           counts[STREAMING]);
    fflush(stdout);
}

static void ask_first(int number) {
    if (clients[number].state == READY) question(&clients[number], number < streams ? order : probe_order);
}

static void connect_all(void) {
    int opened = 0, all = streams + probes;
    int64_t begun = now(), until = begun + patience * SECOND;
    while ((opened < all || counts[CONNECTING]) && now() < until) {
        while (opened < all && counts[CONNECTING] < 64) open_connection(&clients[opened++]);
        turn(10);
    }
    printf("{\"mark\": \"connected\", \"seconds\": %.3f}\n", (now() - begun) / 1e9);
    fflush(stdout);
}

/* As fast as the server can, and no faster. */
static void start_all(void) {
    int64_t until = now() + patience * SECOND;
    for (int next = 0; (next < streams || counts[ASKED]) && now() < until; turn(1))
        while (next < streams && counts[ASKED] < starting) ask_first(next++);
}

/* `resumes` clients a second are cut, and come back to where they were. */
static void cut_some(double seconds) {
    static int next;
    for (; next < resume_rate * seconds && next < streams; next++) {
        Client *c = &clients[next];
        if (c->state != STREAMING) continue;
        drop(c, CLOSED);
        c->again = 1;
        c->asked = now();
        open_connection(c);
    }
    for (int i = 0; i < next; i++)
        if (clients[i].again && clients[i].state == READY) question(&clients[i], order);
}

static void measure(double seconds) {
    int64_t begun = now();
    int probe = 0;
    while (now() < begun + seconds * SECOND && (!most_answers || answers < most_answers)) {
        double passed = (now() - begun) / 1e9;
        if (windowed && probe < probes * passed / seconds) ask_first(streams + probe++);
        if (windowed && resume_rate) cut_some(passed);
        for (int i = 0; repeat && i < streams; i++)
            if (clients[i].state == READY || (clients[i].state == OVER && clients[i].fd >= 0))
                question(&clients[i], order);
        turn(1);
    }
}

static void run(void) {
    connect_all();
    if (!idle && !repeat) start_all();
    measure(settle);
    say("begin");
    windowed = 1;
    measure(window);
    windowed = 0;
    say("end");
    int64_t until = now() + drain * SECOND;
    while (counts[STREAMING] + counts[ASKED] > stalled && now() < until) turn(10);
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *name, Times *times) {
    qsort(times->values, times->size, sizeof *times->values, by_size);
    printf("\"%s\": {\"count\": %zu", name, times->size);
    if (times->size)
        printf(", \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"max\": %.3f",
               times->values[times->size / 2] / 1e3, times->values[times->size * 90 / 100] / 1e3,
               times->values[times->size * 99 / 100] / 1e3, times->values[times->size - 1] / 1e3);
    printf("}, ");
}

static void report(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"mark\": \"result\", ");
    print_times("ages", &ages); /* milliseconds */
    print_times("first", &firsts);
    print_times("first_in_window", &window_firsts);
    print_times("resumed", &resumes);
    for (char *c = error; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < 32) *c = '\'';
    printf("\"tokens\": %lld, \"window_tokens\": %lld, \"answers\": %lld, \"window_answers\": %lld, "
           "\"unfinished\": %d, \"failures\": %d, \"longest_gap_ms\": %.2f, \"cpu\": %.3f, "
           "\"error\": \"%s\"}\n",
           (long long)tokens, (long long)window_tokens, (long long)answers,
           (long long)window_answers, counts[ASKED] + counts[STREAMING] + counts[READY] + counts[CONNECTING],
           failures, longest_gap / 1e6,
           usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
               (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
           error);
}

static int argument(const char *name, const char *value) {
    struct { const char *name; int *place; } numbers[] = {
        {"port", &port}, {"streams", &streams}, {"greeting", &greeting}, {"starting", &starting},
        {"repeat", &repeat}, {"stalled", &stalled}, {"probes", &probes}, {"resumes", &resume_rate}, {"idle", &idle}};
    struct { const char *name; double *place; } seconds[] = {
        {"window", &window}, {"settle", &settle}, {"drain", &drain}, {"patience", &patience}};
    struct { const char *name; const char **place; } texts[] = {
        {"kind", &kind}, {"path", &path}, {"header", &header}, {"ask", &ask}, {"order", &order},
        {"resume", &resume_text}, {"probe", &probe_order}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(name, numbers[i].name)) return *numbers[i].place = atoi(value), 1;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        if (!strcmp(name, seconds[i].name)) return *seconds[i].place = atof(value), 1;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!strcmp(name, texts[i].name)) return *texts[i].place = value, 1;
    if (!strcmp(name, "answers")) return most_answers = atoll(value), 1;
    return 0;
}

int main(int count, char **values) {
    for (int i = 1; i < count; i++) {
        char *value = strchr(values[i], '=');
        if (value) *value++ = 0;
        if (!value || !argument(values[i], value)) {
            fprintf(stderr, "load: %s?\n", values[i]);
            return 1;
        }
    }
    poller = epoll_create1(0);
    clients = calloc(streams + probes, sizeof *clients);
    counts[CLOSED] = streams + probes;
    for (int i = 0; i < streams + probes; i++) {
        clients[i].fd = -1;
        clients[i].stalled = i < stalled;
    }
    run();
    report();
    return 0;
}
