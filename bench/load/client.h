/* One client of load.c: what it sends, and what it takes from the bytes that arrive. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

enum { CLOSED, CONNECTING, READY, ASKED, STREAMING, OVER };

typedef struct {
    int fd, state, stalled, upgraded, again; /* again: it resumes */
    int64_t index, seq, asked;
    size_t size, room, body_size, chunk; /* of what has arrived; SSE: bytes left of this chunk */
    char *in, *body, run[64];
} Client;

typedef struct {
    uint32_t *values; /* microseconds */
    size_t size, room;
} Times;

/* ---- what load.c was told */

static int port, streams = 1, greeting, starting = 16, repeat, stalled, probes, resume_rate, idle;
static int64_t most_answers;
static double window = 1, settle = 0.5, drain = 8, patience = 30;
static const char *kind = "ws", *path = "/", *header = "", *ask = "", *resume_text = "";
static const char *order = "tokens=0 every=20", *probe_order = "tokens=20 every=20";

static int poller, windowed;
static Client *clients;
static int counts[OVER + 1], failures;
static int64_t tokens, window_tokens, answers, window_answers, longest_gap;
static Times ages, firsts, window_firsts, resumes;
static char error[512];

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static void *grown(void *memory, size_t size) {
    memory = realloc(memory, size);
    if (!memory) abort();
    return memory;
}

static void note(Times *times, int64_t ns) {
    if (times->size == times->room) {
        times->room = times->room ? 2 * times->room : 4096;
        times->values = grown(times->values, times->room * sizeof *times->values);
    }
    times->values[times->size++] = ns > 0 ? ns / 1000 : 0;
}

static void state(Client *c, int next) {
    counts[c->state]--;
    counts[c->state = next]++;
}

static void drop(Client *c, int next) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    state(c, next);
}

/* What must not happen; the first one is kept. */
static void fail(Client *c, const char *format, ...) {
    va_list values;
    va_start(values, format);
    if (!failures++) vsnprintf(error, sizeof error, format, values);
    va_end(values);
    drop(c, OVER);
}

/* ---- sending */

static char *filled(const char *text, const char *name, const char *value) {
    const char *place = strstr(text, name);
    char *made = NULL;
    if (!place) return strdup(text);
    if (asprintf(&made, "%.*s%s%s", (int)(place - text), text, value, place + strlen(name)) < 0)
        abort();
    return made;
}

static void transmit(Client *c, const char *data, size_t size) {
    for (int tries = 0; size && tries < 1000;) { /* a question of many KiB takes several turns */
        ssize_t done = send(c->fd, data, size, MSG_NOSIGNAL);
        if (done > 0) data += done, size -= done;
        else if (errno == EAGAIN) usleep(1000), tries++;
        else break;
    }
    if (size) fail(c, "cannot send: %s", strerror(errno));
}

static void send_frame(Client *c, const char *text) {
    size_t size = strlen(text), head = 2;
    char *frame = grown(NULL, size + 14);
    frame[0] = (char)0x81;
    if (size < 126) frame[1] = (char)(0x80 | size);
    else {
        int bytes = size < 65536 ? 2 : 8;
        frame[1] = (char)(0x80 | (bytes == 2 ? 126 : 127));
        for (int i = 0; i < bytes; i++) frame[2 + i] = (char)(size >> 8 * (bytes - 1 - i));
        head += bytes;
    }
    memset(frame + head, 0, 4); /* the mask (RFC 6455 wants one, and any four bytes are one) */
    memcpy(frame + head + 4, text, size);
    transmit(c, frame, head + 4 + size);
    free(frame);
}

static void question(Client *c, const char *wanted) {
    char *text = filled(ask, "{order}", wanted);
    if (c->again) { /* where it was */
        char seq[32], *with_run = filled(resume_text, "{run}", c->run);
        snprintf(seq, sizeof seq, "%lld", (long long)c->seq);
        free(text);
        text = filled(with_run, "{seq}", seq);
        free(with_run);
    } else {
        c->index = 0;
        c->asked = now();
    }
    state(c, ASKED);
    if (!strcmp(kind, "ws")) send_frame(c, text);
    else {
        char *request;
        const char *verb = *text ? "POST" : "GET";
        if (asprintf(&request,
                     "%s %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Type: application/json\r\n"
                     "Accept: text/event-stream\r\nContent-Length: %zu\r\n\r\n%s",
                     verb, path, header, strlen(text), text) < 0)
            abort();
        transmit(c, request, strlen(request));
        free(request);
    }
    free(text);
}

static void open_connection(Client *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};
    int on = 1, small = 4096;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    c->upgraded = c->size = c->body_size = c->chunk = 0;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (c->stalled) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    state(c, CONNECTING);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail(c, "cannot connect: %s", strerror(errno));
    else
        epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
}

static void connected(Client *c) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    char *upgrade;
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
    if (strcmp(kind, "ws")) {
        state(c, READY);
        return;
    }
    if (asprintf(&upgrade,
                 "GET %s HTTP/1.1\r\nHost: localhost\r\n%sConnection: Upgrade\r\n"
                 "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
                 path, header) < 0)
        abort();
    transmit(c, upgrade, strlen(upgrade));
    free(upgrade);
}

/* ---- what arrives */

static int is_type(const char *event, const char *type) {
    const char *place = strstr(event, "\"type\":");
    if (!place || place > event + 2) return 0;
    place += 7;
    while (*place == ' ') place++;
    return !strncmp(place, type, strlen(type));
}

static void token(Client *c, const char *event, int64_t time) {
    const char *text = strstr(event, "\"content\":");
    if (!text || !(text = strchr(text + 10, '"'))) return;
    for (text++; *text >= '0' && *text <= '9'; text++) {
        char *stop;
        int64_t index = strtoll(text, &stop, 10), left = *stop == ':' ? strtoll(stop + 1, &stop, 10) : 0;
        if (index != c->index || *stop != ' ') {
            fail(c, "token %lld instead of %lld", (long long)index, (long long)c->index);
            return;
        }
        if (c->state == ASKED) {
            note(c->again ? &resumes : windowed ? &window_firsts : &firsts, time - c->asked);
            state(c, STREAMING);
        }
        c->index++;
        tokens++;
        if (windowed) {
            window_tokens++;
            if (!c->again) note(&ages, time - left);
        }
        text = stop;
    }
}

/* Where a reader stands: `runId`, and `seq` as the last field. */
static void remember(Client *c, const char *event, size_t size) {
    const char *run = strstr(event, "\"runId\":\"");
    const char *seq = memrchr(event, ':', size);
    if (run) sscanf(run + 9, "%63[^\"]", c->run);
    if (run && seq && !strncmp(seq - 5, "\"seq\"", 5)) c->seq = strtoll(seq + 1, NULL, 10);
}

/* One event's JSON, with a zero behind it. */
static void event(Client *c, const char *data, size_t size, int64_t time) {
    if (*resume_text) remember(c, data, size);
    if (is_type(data, "\"token\"")) token(c, data, time);
    else if (is_type(data, "\"error\"")) fail(c, "%.400s", data);
    else if (is_type(data, "\"done\"")) {
        if (c->state != STREAMING) {
            fail(c, "an answer without tokens: %.300s", data);
            return;
        }
        answers++;
        window_answers += windowed;
        state(c, OVER);
    }
}

static void take_event(Client *c, char *data, size_t size, int64_t time) {
    char behind = data[size];
    data[size] = 0;
    event(c, data, size, time);
    data[size] = behind;
}

/* Whole frames; returns the bytes used. */
static size_t take_frames(Client *c, int64_t time) {
    size_t at = 0;
    if (!c->upgraded) {
        char *stop = memmem(c->in, c->size, "\r\n\r\n", 4);
        if (!stop) return 0;
        if (strncmp(c->in, "HTTP/1.1 101", 12)) {
            fail(c, "no WebSocket: %.60s", c->in);
            return c->size;
        }
        at = stop + 4 - c->in;
        c->upgraded = 1;
        if (!greeting) state(c, READY);
    }
    while (c->size >= at + 2 && c->fd >= 0) {
        unsigned char *head = (unsigned char *)c->in + at;
        size_t size = head[1], start = at + 2;
        if (size >= 126) {
            int bytes = size == 126 ? 2 : 8;
            size = 0;
            if (c->size < start + bytes) break;
            for (int i = 0; i < bytes; i++) size = size << 8 | head[2 + i];
            start += bytes;
        }
        if (c->size < start + size) break;
        at = start + size;
        if ((head[0] & 15) == 8) fail(c, "closed by the server: %d", size >= 2 ? head[2] << 8 | head[3] : 0);
        else if ((head[0] & 15) != 1) continue; /* ping */
        else if (c->state == CONNECTING) {
            if (is_type(c->in + start, "\"error\"")) fail(c, "%.200s", c->in + start);
            else state(c, READY);
        } else take_event(c, c->in + start, size, time);
    }
    return at;
}

static void take_body(Client *c, int64_t time) {
    char *at = c->body, *stop, *data;
    c->body[c->body_size] = 0;
    while (c->fd >= 0 && (stop = strstr(at, "\n\n"))) {
        *stop = 0;
        if (!strncmp(at, "data: ", 6)) data = at + 6;
        else if ((data = strstr(at, "\ndata: "))) data += 7;
        if (data) event(c, data, stop - data, time);
        at = stop + 2;
    }
    c->body_size -= at - c->body;
    memmove(c->body, at, c->body_size + 1);
}

/* A response with a chunked body (RFC 9112, 7.1); returns the bytes used. */
static size_t take_response(Client *c, int64_t time) {
    size_t at = 0;
    if (!c->upgraded) { /* the head */
        char *stop = memmem(c->in, c->size, "\r\n\r\n", 4);
        if (!stop) return 0;
        if (strncmp(c->in, "HTTP/1.1 200", 12)) {
            fail(c, "%.400s", c->in);
            return c->size;
        }
        at = stop + 4 - c->in;
        c->upgraded = 1;
    }
    c->body = grown(c->body, c->body_size + c->size + 1);
    while (at < c->size) {
        if (!c->chunk) {
            char *line = memmem(c->in + at, c->size - at, "\r\n", 2);
            if (!line) break;
            if (line == c->in + at) at += 2; /* behind the last chunk */
            else {
                size_t size = strtoul(c->in + at, NULL, 16);
                if (!size) { /* the end; the connection can be used again */
                    if (c->size < (size_t)(line + 4 - c->in)) break;
                    at = line + 4 - c->in;
                    c->upgraded = 0;
                    take_body(c, time);
                    if (c->state != OVER) fail(c, "a body without `done`");
                    return at;
                }
                c->chunk = size;
                at = line + 2 - c->in;
            }
            continue;
        }
        size_t part = c->chunk < c->size - at ? c->chunk : c->size - at;
        memcpy(c->body + c->body_size, c->in + at, part);
        c->body_size += part, c->chunk -= part, at += part;
    }
    take_body(c, time);
    return at;
}

static void readable(Client *c) {
    int64_t time = now();
    if (c->room - c->size < 8192) c->in = grown(c->in, c->room = 2 * c->room + 16384);
    ssize_t size = recv(c->fd, c->in + c->size, c->room - c->size - 1, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
        if (c->state == OVER) drop(c, OVER);
        else fail(c, "the connection was lost after %lld tokens", (long long)c->index);
        return;
    }
    c->size += size;
    c->in[c->size] = 0;
    size_t used = strcmp(kind, "ws") ? take_response(c, time) : take_frames(c, time);
    c->size -= used;
    memmove(c->in, c->in + used, c->size);
}
