/* The floor: N MQTT subscribers in one epoll loop, every frame parsed whole, QoS 1 acknowledged.
 *
 * reader HOST PORT VERSION QOS FILTER PREFIX CLIENTS MESSAGES
 *
 * VERSION is 4 (MQTT 3.1.1) or 5. Says "ready" when every SUBACK is there, then reads MESSAGES
 * PUBLISH packets over each connection, or until ten seconds pass without any, and says
 * "COUNT LAST_NS CPU_NS BYTES RSS_KB": packets, when the last was read (CLOCK_MONOTONIC), CPU time
 * since "ready", payload bytes, resident memory. Ends when its standard input closes.
 *
 * Of each PUBLISH it finds the remaining length, the topic, the packet identifier, the MQTT 5
 * properties and the payload, and objects to what does not fit (MQTT 3.1.1 and 5, section 3.3).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 20, READ = 256 * 1024, HANDSHAKES = 64, ATTEMPTS = 5, EVENTS = 1024, SILENCE_MS = 10000 };
enum state { CONNECTING, CONNACK, SUBACK, UP };

struct client {
  int fd;
  enum state state;
  int number, attempts;
  uint8_t *rest; /* the beginning of a frame not yet whole */
  size_t kept;
};

static uint8_t buffer[ROOM + READ], acks[ROOM];
static int version, qos, up, opening, epoll;
static const char *filter, *prefix;
static struct sockaddr_in where;
static long long count, bytes, last_ns;

static void fail(const char *what) {
  fprintf(stderr, "reader: %s (%s)\n", what, errno ? strerror(errno) : "protocol");
  exit(1);
}

static long long now_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void send_all(int fd, const uint8_t *data, size_t size) {
  while (size) {
    ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN || errno == EINTR) continue;
      fail("send");
    }
    data += sent;
    size -= (size_t)sent;
  }
}

static size_t text(uint8_t *at, const char *words) {
  size_t size = strlen(words);
  at[0] = (uint8_t)(size >> 8);
  at[1] = (uint8_t)size;
  memcpy(at + 2, words, size);
  return size + 2;
}

static void wait_for(struct client *client, uint32_t events, int operation) {
  struct epoll_event event = {.events = events, .data.ptr = client};
  if (epoll_ctl(epoll, operation, client->fd, &event)) fail("epoll_ctl");
}

static void say_connect(struct client *client) {
  uint8_t packet[256], *at = packet + 2;
  char name[128];
  snprintf(name, sizeof name, "%s%05d", prefix, client->number);
  at += text(at, "MQTT");
  *at++ = (uint8_t)version;
  *at++ = 2; /* clean */
  *at++ = 600 >> 8;
  *at++ = 600 & 255;
  if (version == 5) *at++ = 0;
  at += text(at, name);
  packet[0] = 0x10;
  packet[1] = (uint8_t)(at - packet - 2);
  send_all(client->fd, packet, (size_t)(at - packet));
}

static void say_subscribe(struct client *client) {
  uint8_t packet[256], *at = packet + 2;
  *at++ = 0;
  *at++ = 1;
  if (version == 5) *at++ = 0;
  at += text(at, filter);
  *at++ = (uint8_t)qos;
  packet[0] = 0x82;
  packet[1] = (uint8_t)(at - packet - 2);
  send_all(client->fd, packet, (size_t)(at - packet));
}

static void open_client(struct client *client) {
  int one = 1;
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (client->fd < 0) fail("socket");
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(client->fd, (struct sockaddr *)&where, sizeof where) && errno != EINPROGRESS)
    fail("connect");
  client->state = CONNECTING;
  wait_for(client, EPOLLOUT, EPOLL_CTL_ADD);
}

/* A broker whose listen queue is full resets connections that it never saw: try again. */
static void lost(struct client *client, const char *what) {
  if (client->state == UP || ++client->attempts == ATTEMPTS) fail(what);
  close(client->fd);
  client->kept = 0;
  open_client(client);
}

/* Length of the frame at `at`, 0 if it is not whole yet; `body` is set to where its body begins. */
static size_t frame(const uint8_t *at, const uint8_t *end, const uint8_t **body) {
  size_t length = 0;
  int shift = 0;
  for (const uint8_t *digit = at + 1; digit < end && shift <= 21; digit++, shift += 7) {
    length |= (size_t)(*digit & 127) << shift;
    if (!(*digit & 128)) {
      *body = digit + 1;
      return *body + length <= end ? (size_t)(*body - at) + length : 0;
    }
  }
  if (shift > 21) fail("malformed length");
  return 0;
}

/* Reads a PUBLISH whole; returns the new end of the acknowledgements. */
static uint8_t *publish(const uint8_t *at, const uint8_t *body, const uint8_t *end, uint8_t *ack) {
  int level = at[0] >> 1 & 3;
  if (body + 2 > end) fail("short PUBLISH");
  size_t topic = (size_t)body[0] << 8 | body[1];
  const uint8_t *name = body + 2;
  body = name + topic;
  if (body > end || !topic || memchr(name, 0, topic)) fail("bad topic");
  if (level == 3) fail("QoS 3");
  if (level) {
    if (body + 2 > end || !(body[0] | body[1])) fail("bad packet identifier");
    *ack++ = level == 1 ? 0x40 : 0x50;
    *ack++ = 2;
    *ack++ = body[0];
    *ack++ = body[1];
    body += 2;
  }
  if (version == 5) {
    size_t properties = 0;
    int shift = 0;
    do {
      if (body >= end || shift > 21) fail("bad properties");
      properties |= (size_t)(*body & 127) << shift;
      shift += 7;
    } while (*body++ & 128);
    body += properties;
  }
  if (body > end) fail("short payload");
  bytes += end - body;
  count++;
  return ack;
}

static void take(struct client *client, const uint8_t *at, const uint8_t *body) {
  if (client->state == CONNACK && at[0] == 0x20) {
    if (body[1]) fail("refused");
    client->state = SUBACK;
    say_subscribe(client);
  } else if (client->state == SUBACK && at[0] == 0x90) {
    client->state = UP;
    up++;
    opening--;
  } else {
    fail("unexpected packet");
  }
}

static void read_client(struct client *client) {
  memcpy(buffer, client->rest, client->kept);
  ssize_t got = recv(client->fd, buffer + client->kept, READ, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    lost(client, "closed by the broker");
    return;
  }
  const uint8_t *at = buffer, *end = buffer + client->kept + got, *body = NULL;
  uint8_t *ack = acks;
  size_t size;
  while (at + 2 <= end && (size = frame(at, end, &body))) {
    if ((at[0] & 0xf0) == 0x30)
      ack = publish(at, body, at + size, ack);
    else
      take(client, at, body);
    at += size;
  }
  size_t left = (size_t)(end - at);
  if (left > client->kept || !left) client->rest = realloc(client->rest, left ? left : 1);
  memcpy(client->rest, at, left);
  client->kept = left;
  if (ack > acks) send_all(client->fd, acks, (size_t)(ack - acks));
}

static void serve(struct client *client, uint32_t events) {
  if (client->state == CONNECTING) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    errno = error;
    if (error) {
      lost(client, "connect");
      return;
    }
    client->state = CONNACK;
    say_connect(client);
    wait_for(client, EPOLLIN, EPOLL_CTL_MOD);
  } else if (events) {
    read_client(client);
  }
}

static long resident_kb(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

int main(int argc, char **argv) {
  static struct epoll_event ready[EVENTS];
  struct rlimit files;
  if (argc != 9) fail("usage: reader HOST PORT VERSION QOS FILTER PREFIX CLIENTS MESSAGES");
  where.sin_family = AF_INET;
  where.sin_port = htons((uint16_t)atoi(argv[2]));
  if (!inet_aton(argv[1], &where.sin_addr)) fail("an address, not a name");
  version = atoi(argv[3]);
  qos = atoi(argv[4]);
  filter = argv[5];
  prefix = argv[6];
  int clients = atoi(argv[7]), opened = 0;
  long long expected = (long long)clients * atoll(argv[8]);
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  struct client *all = calloc((size_t)clients, sizeof *all);
  epoll = epoll_create1(0);
  while (up < clients) {
    for (; opened < clients && opening < HANDSHAKES; opened++) {
      all[opened].number = opened;
      all[opened].rest = malloc(1);
      open_client(&all[opened]);
      opening++;
    }
    int found = epoll_wait(epoll, ready, EVENTS, SILENCE_MS);
    errno = 0;
    if (found <= 0) fail("no answer to the handshakes");
    for (int i = 0; i < found; i++) serve(ready[i].data.ptr, ready[i].events);
  }
  puts("ready");
  fflush(stdout);
  long long before = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  while (count < expected) {
    int found = epoll_wait(epoll, ready, EVENTS, count ? SILENCE_MS : 6 * SILENCE_MS);
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0) break;
    for (int i = 0; i < found; i++) serve(ready[i].data.ptr, ready[i].events);
    last_ns = now_ns(CLOCK_MONOTONIC);
  }
  long long used = now_ns(CLOCK_PROCESS_CPUTIME_ID) - before;
  printf("%lld %lld %lld %lld %ld\n", count, last_ns, used, bytes, resident_kb());
  fflush(stdout);
  while (read(0, buffer, 1) > 0) {
  }
  for (int i = 0; i < clients; i++) send(all[i].fd, "\xe0\0", 2, MSG_NOSIGNAL);
  return 0;
}
