// A load on librdkafka: `rdkafka produce BOOTSTRAP TOPIC RECORDS BYTES KEY=VALUE…` or `rdkafka consume BOOTSTRAP TOPIC RECORDS KEY=VALUE…`
// (partition 0, from its beginning). Prints one line of JSON. What it needs of the library is declared here, as its stable C interface has it,
// so that the library is enough and its headers need not be installed: gcc -O2 rdkafka.c -l:librdkafka.so.1
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct rd_kafka_s rd_kafka_t;
typedef struct rd_kafka_conf_s rd_kafka_conf_t;
typedef struct rd_kafka_topic_s rd_kafka_topic_t;
typedef struct rd_kafka_topic_conf_s rd_kafka_topic_conf_t;
typedef struct {
  int err;
  rd_kafka_topic_t *topic;
  int32_t partition;
  void *payload;
  size_t length;
  void *key;
  size_t keyLength;
  int64_t offset;
  void *opaque;
} rd_kafka_message_t;

extern rd_kafka_conf_t *rd_kafka_conf_new(void);
extern int rd_kafka_conf_set(rd_kafka_conf_t *, const char *, const char *, char *, size_t);
extern void rd_kafka_conf_set_dr_msg_cb(rd_kafka_conf_t *, void (*)(rd_kafka_t *, const rd_kafka_message_t *, void *));
extern void rd_kafka_conf_set_stats_cb(rd_kafka_conf_t *, int (*)(rd_kafka_t *, char *, size_t, void *));
extern rd_kafka_t *rd_kafka_new(int, rd_kafka_conf_t *, char *, size_t);
extern rd_kafka_topic_t *rd_kafka_topic_new(rd_kafka_t *, const char *, rd_kafka_topic_conf_t *);
extern int rd_kafka_produce(rd_kafka_topic_t *, int32_t, int, void *, size_t, const void *, size_t, void *);
extern int rd_kafka_poll(rd_kafka_t *, int);
extern int rd_kafka_flush(rd_kafka_t *, int);
extern int64_t rd_kafka_message_latency(const rd_kafka_message_t *);
extern int rd_kafka_last_error(void);
extern const char *rd_kafka_err2str(int);
extern int rd_kafka_consume_start(rd_kafka_topic_t *, int32_t, int64_t);
extern ssize_t rd_kafka_consume_batch(rd_kafka_topic_t *, int32_t, int, rd_kafka_message_t **, size_t);
extern void rd_kafka_message_destroy(rd_kafka_message_t *);

enum { PRODUCER, CONSUMER, COPY = 2, UNASSIGNED = -1, QUEUE_FULL = -184, PATIENCE_MS = 60000 };

static int64_t *latencies;
static long delivered, records;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void onDelivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
  (void)client, (void)opaque;
  if (message->err) fail("delivery", rd_kafka_err2str(message->err));
  if (delivered < records) latencies[delivered] = rd_kafka_message_latency(message);
  delivered++;
}

static long requests, ended;

/** The library tells how many requests it has sent, behind everything else in its statistics. */
static int onStatistics(rd_kafka_t *client, char *json, size_t length, void *opaque) {
  (void)client, (void)length, (void)opaque;
  for (char *at = json; (at = strstr(at, "\"tx\":")) != NULL; at++) requests = atol(at + 5);
  if (ended > 0) ended++;
  return 0;
}

/** Waits for statistics that were made after the load's end. */
static long countedRequests(rd_kafka_t *client) {
  ended = 1;
  for (int left = 50; ended < 3 && left > 0; left--) rd_kafka_poll(client, 100);
  return requests;
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value) {
  char error[512];
  if (rd_kafka_conf_set(conf, key, value, error, sizeof error) != 0) fail(key, error);
}

static void produce(rd_kafka_t *client, rd_kafka_topic_t *topic, size_t size) {
  char *value = malloc(size);
  for (size_t i = 0; i < size; i++) value[i] = 'A' + rand() % 26;
  latencies = calloc(records, sizeof *latencies);
  double start = now();
  for (long i = 0; i < records; i++) {
    while (rd_kafka_produce(topic, UNASSIGNED, COPY, value, size, NULL, 0, NULL) != 0) {
      if (rd_kafka_last_error() != QUEUE_FULL) fail("produce", rd_kafka_err2str(rd_kafka_last_error()));
      rd_kafka_poll(client, 100);
    }
    if (i % 64 == 0) rd_kafka_poll(client, 0);
  }
  rd_kafka_flush(client, PATIENCE_MS);
  double seconds = now() - start;
  if (delivered != records) fail("produce", "not everything was delivered in time");
  qsort(latencies, records, sizeof *latencies, compare);
  long last = records - 1;
  printf("{\"records\":%ld,\"bytes\":%.0f,\"requests\":%ld,\"seconds\":%f,\"p50Us\":%ld,\"p99Us\":%ld,\"p999Us\":%ld}\n", records,
         (double)records * size, countedRequests(client), seconds, (long)latencies[last / 2], (long)latencies[(long)(last * 0.99)], (long)latencies[(long)(last * 0.999)]);
}

static void consume(rd_kafka_t *client, rd_kafka_topic_t *topic) {
  enum { MOST = 10000 };
  static rd_kafka_message_t *messages[MOST];
  long got = 0;
  double bytes = 0, start = now(), heard = start;
  if (rd_kafka_consume_start(topic, 0, 0) != 0) fail("consume", rd_kafka_err2str(rd_kafka_last_error()));
  while (got < records) {
    ssize_t count = rd_kafka_consume_batch(topic, 0, 1000, messages, MOST);
    if (count < 0) fail("consume", rd_kafka_err2str(rd_kafka_last_error()));
    for (ssize_t i = 0; i < count; i++) {
      if (messages[i]->err == 0) got++, bytes += messages[i]->length;
      rd_kafka_message_destroy(messages[i]);
    }
    if (count > 0) heard = now();
    if (now() - heard > PATIENCE_MS / 1000) fail("consume", "nothing came for a minute");
  }
  double seconds = now() - start;
  printf("{\"records\":%ld,\"bytes\":%.0f,\"requests\":%ld,\"seconds\":%f}\n", got, bytes, countedRequests(client), seconds);
}

int main(int count, char **words) {
  if (count < 5) fail("usage", "rdkafka produce BOOTSTRAP TOPIC RECORDS BYTES KEY=VALUE… | consume BOOTSTRAP TOPIC RECORDS KEY=VALUE…");
  int isProducer = strcmp(words[1], "produce") == 0;
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", words[2]);
  for (int i = isProducer ? 6 : 5; i < count; i++) {
    char *value = strchr(words[i], '=');
    if (value == NULL) fail(words[i], "is not KEY=VALUE");
    *value = 0;
    set(conf, words[i], value + 1);
  }
  records = atol(words[4]);
  if (isProducer) rd_kafka_conf_set_dr_msg_cb(conf, onDelivery);
  set(conf, "statistics.interval.ms", "100");
  rd_kafka_conf_set_stats_cb(conf, onStatistics);
  char error[512];
  rd_kafka_t *client = rd_kafka_new(isProducer ? PRODUCER : CONSUMER, conf, error, sizeof error);
  if (client == NULL) fail("client", error);
  rd_kafka_topic_t *topic = rd_kafka_topic_new(client, words[3], NULL);
  if (isProducer) produce(client, topic, atol(words[5]));
  else consume(client, topic);
  fflush(stdout);
  // Without its slow farewell.
  _exit(0);
}
