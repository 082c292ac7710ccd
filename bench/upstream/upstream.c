/* A model server of Anthropic's and OpenAI's true wire format; 100,000 tokens a second on one core.
 *
 *     upstream PORT
 *
 * The last order in a request says what to send: `tokens=400 every=20` (milliseconds; tokens=0:
 * until told to finish). A token's text is `<index>:<time it left, CLOCK_MONOTONIC ns> `, behind it
 * `pad=1000` letters more if asked for; one write each, as the real services send them. `GET /stats` tells what was sent and how late (JSON,
 * since the last time), `GET /finish` the same and ends all answers with their next token. It
 * prints a line when it listens. Its twin for want of a C compiler is __main__.py.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_PADDING 16000
#define TICK 200000 /* ns between two turns: what is due within leaves together, with one wake-up */
#define LATE 10000000 /* ns behind its time: a token that the machine, not the server, held up */

typedef struct {
    int fd, place; /* place in the heap; -1: sends nothing */
    int openai, pad;
    char *in, *out;
    size_t in_size, in_room, out_size, out_room;
    int64_t sent, tokens, every, due;
} Connection;

static int poller, timer;
static Connection **heap;
static int heap_size, heap_room;
static int64_t total, late, latest;
static char padding[MAX_PADDING + 1];

static const char HEAD[] =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    "cache-control: no-cache\r\nrequest-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n";
static const char MESSAGE_START[] =
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_bench\","
    "\"type\":\"message\",\"role\":\"assistant\",\"model\":\"bench\",\"content\":[],"
    "\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":25,"
    "\"output_tokens\":1}}}\n\n"
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
    "event: ping\ndata: {\"type\": \"ping\"}\n\n";
static const char MESSAGE_TOKEN[] =
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
    "\"delta\":{\"type\":\"text_delta\",\"text\":\"%lld:%lld %.*s\"}}\n\n";
static const char MESSAGE_END[] =
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
    "\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":%lld}}\n\n"
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
#define CHUNK                                                                                    \
    "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":"          \
    "1700000000,\"model\":\"bench\",\"choices\":"
static const char CHAT_START[] = CHUNK
    "[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}"
    "\n\n";
static const char CHAT_TOKEN[] = CHUNK
    "[{\"index\":0,\"delta\":{\"content\":\"%lld:%lld %.*s\"},\"finish_reason\":null}]}\n\n";
static const char CHAT_END[] = CHUNK
    "[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n" CHUNK
    "[],\"usage\":{\"prompt_tokens\":25,\"completion_tokens\":%lld,\"total_tokens\":%lld}}\n\n"
    "data: [DONE]\n\n";

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *grown(void *memory, size_t size) {
    memory = realloc(memory, size);
    if (!memory) abort();
    return memory;
}

/* ---- the answers by the time of their next token: a binary heap */

static void put(int place, Connection *c) {
    heap[place] = c;
    c->place = place;
}

static void sift(Connection *c, int place) {
    while (place && heap[(place - 1) / 2]->due > c->due) {
        put(place, heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (;;) {
        int child = 2 * place + 1;
        if (child >= heap_size) break;
        if (child + 1 < heap_size && heap[child + 1]->due < heap[child]->due) child++;
        if (heap[child]->due >= c->due) break;
        put(place, heap[child]);
        place = child;
    }
    put(place, c);
}

static void schedule(Connection *c) {
    if (heap_size == heap_room) {
        heap_room = heap_room ? 2 * heap_room : 1024;
        heap = grown(heap, heap_room * sizeof *heap);
    }
    sift(c, heap_size++);
}

static void unschedule(Connection *c) {
    int place = c->place;
    Connection *last = heap[--heap_size];
    c->place = -1;
    if (last != c) sift(last, place);
}

/* ---- one connection */

static void watch(Connection *c, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    epoll_ctl(poller, operation, c->fd, &event);
}

static void end(Connection *c) {
    if (c->place >= 0) unschedule(c);
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

/* What the socket does not take now is kept, and sent when it does. A broken one is found by its
 * reader. */
static void send_all(Connection *c, const char *data, size_t size) {
    if (!c->out_size) {
        ssize_t done = send(c->fd, data, size, MSG_NOSIGNAL);
        if (done == (ssize_t)size) return;
        if (done < 0 && errno != EAGAIN) return;
        if (done > 0) data += done, size -= done;
        watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    if (c->out_size + size > c->out_room) {
        c->out_room = 2 * (c->out_size + size);
        c->out = grown(c->out, c->out_room);
    }
    memcpy(c->out + c->out_size, data, size);
    c->out_size += size;
}

static void send_rest(Connection *c) {
    ssize_t done = send(c->fd, c->out, c->out_size, MSG_NOSIGNAL);
    if (done <= 0) return;
    c->out_size -= done;
    memmove(c->out, c->out + done, c->out_size);
    if (!c->out_size) watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

/* A piece of the body as one chunk (RFC 9112, 7.1), with something before and after it. */
static void send_chunk(Connection *c, const char *before, const char *data, const char *after) {
    char piece[MAX_PADDING + 2048];
    int size = snprintf(piece, sizeof piece, "%s%zx\r\n%s\r\n%s", before, strlen(data), data, after);
    send_all(c, piece, size);
}

static void send_token(Connection *c, int64_t time) {
    char data[MAX_PADDING + 1024];
    if (c->tokens && c->sent >= c->tokens) {
        snprintf(data, sizeof data, c->openai ? CHAT_END : MESSAGE_END, (long long)c->sent,
                 (long long)c->sent + 25);
        unschedule(c);
        send_chunk(c, "", data, "0\r\n\r\n");
        return;
    }
    snprintf(data, sizeof data, c->openai ? CHAT_TOKEN : MESSAGE_TOKEN, (long long)c->sent++,
             (long long)time, c->pad, padding);
    total++;
    if (time - c->due > latest) latest = time - c->due;
    if (time - c->due > LATE) late++;
    c->due += c->every;
    sift(c, c->place);
    send_chunk(c, "", data, "");
}

static void answer(Connection *c, const char *head, const char *body, size_t size) {
    char text[512];
    if (!strncmp(head, "GET ", 4)) {
        char json[256];
        int length = snprintf(json, sizeof json,
                              "{\"tokens\": %lld, \"late\": %lld, \"latest_ms\": %.3f}\n",
                              (long long)total, (long long)late, latest / 1e6);
        total = late = latest = 0;
        if (!strncmp(head, "GET /finish", 11))
            for (int i = 0; i < heap_size; i++)
                heap[i]->tokens = heap[i]->sent ? heap[i]->sent : 1;
        snprintf(text, sizeof text,
                 "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s",
                 length, json);
        send_all(c, text, strlen(text));
        return;
    }
    long long tokens = 100, every = 20, pad = 0;
    const char *order = NULL, *found = body, *stop = body + size;
    while ((found = memmem(found, stop - found, "tokens=", 7))) order = found++;
    if (order) sscanf(order, "tokens=%lld every=%lld pad=%lld", &tokens, &every, &pad);
    c->openai = !strncmp(head, "POST /v1/chat", 13);
    c->sent = 0, c->tokens = tokens, c->every = every * 1000000, c->due = now();
    c->pad = pad < MAX_PADDING ? pad : MAX_PADDING;
    send_chunk(c, HEAD, c->openai ? CHAT_START : MESSAGE_START, "");
    if (c->place < 0) schedule(c);
}

/* Every whole request that has arrived; returns 0 for one that is none. */
static int read_requests(Connection *c) {
    for (;;) {
        char *stop = memmem(c->in, c->in_size, "\r\n\r\n", 4);
        if (!stop) return 1;
        *stop = 0;
        char *length = strcasestr(c->in, "content-length:");
        size_t head = stop + 4 - c->in, body = length ? strtoul(length + 15, NULL, 10) : 0;
        if (c->in_size < head + body) {
            *stop = '\r';
            return 1;
        }
        if (strcasestr(c->in, "\ntransfer-encoding:")) return 0;
        answer(c, c->in, c->in + head, body);
        c->in_size -= head + body;
        memmove(c->in, c->in + head + body, c->in_size);
    }
}

static void readable(Connection *c) {
    for (;;) {
        if (c->in_room - c->in_size < 4096) c->in = grown(c->in, c->in_room = 2 * c->in_room + 8192);
        size_t room = c->in_room - c->in_size - 1;
        ssize_t size = recv(c->fd, c->in + c->in_size, room, MSG_DONTWAIT);
        if (size < 0 && errno == EAGAIN) return;
        if (size > 0) {
            c->in_size += size;
            c->in[c->in_size] = 0; /* the string functions stop here */
            if (read_requests(c)) {
                if (size < (ssize_t)room) return;
                continue;
            }
        }
        end(c);
        return;
    }
}

static void accept_all(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        Connection *c = calloc(1, sizeof *c);
        if (!c) abort();
        c->fd = fd, c->place = -1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(c, EPOLL_CTL_ADD, EPOLLIN);
    }
}

int main(int count, char **values) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(count > 1 ? atoi(values[1]) : 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
        perror("upstream");
        return 1;
    }
    puts("listening");
    fflush(stdout);
    memset(padding, 'x', MAX_PADDING);
    poller = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener}, found[256];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = &timer;
    epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event);
    int64_t armed = 0, next = 0;
    for (;;) {
        int ready = epoll_wait(poller, found, 256, -1);
        for (int i = 0; i < ready; i++) {
            Connection *c = found[i].data.ptr;
            if (found[i].data.ptr == &listener) accept_all(listener);
            else if (found[i].data.ptr == &timer) {
                uint64_t times; /* read, or it would be ready again with nothing to send */
                if (read(timer, &times, sizeof times) > 0) armed = 0;
            }
            else {
                if (found[i].events & EPOLLOUT) send_rest(c);
                if (found[i].events & ~EPOLLOUT) readable(c);
            }
        }
        /* What is due now, and no more: the requests get their turn. */
        int64_t time = now();
        while (heap_size && heap[0]->due <= time) send_token(heap[0], now());
        if (heap_size) next = heap[0]->due > time + TICK ? heap[0]->due : time + TICK;
        if (heap_size && (!armed || next < armed)) {
            armed = next;
            struct itimerspec at = {.it_value = {armed / 1000000000, armed % 1000000000}};
            timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
        }
    }
}
