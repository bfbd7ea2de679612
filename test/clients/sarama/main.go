// Sarama goes through the scenarios twice: with its default version, and with the newest it speaks. Arguments: BOOTSTRAP, the base time, and `groups` for the scenarios of groups.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

var (
	bootstrap = os.Args[1]
	base, _   = strconv.ParseInt(os.Args[2], 10, 64)
)

// How one pass differs from the other: the version, and what its topics and scenarios are called.
type pass struct {
	version        sarama.KafkaVersion
	prefix, suffix string
	client         sarama.Client
	admin          sarama.ClusterAdmin
}

// A message with its key, value and headers; its topic, partition and time are set when it is sent.
type message = sarama.ProducerMessage

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (p *pass) emit(scenario string, answer ...any) {
	line, err := json.Marshal(map[string]any{"scenario": scenario + p.suffix, "answer": answer})
	must(err)
	fmt.Println(string(line))
}

// The codes of an error that came from the broker; the text of one that sarama made.
func code(err error) any {
	var known sarama.KError
	if err == nil || errors.Is(err, sarama.ErrNoError) {
		return nil
	}
	if errors.As(err, &known) {
		return []any{int16(known), known.Error()}
	}
	return err.Error()
}

func when(time time.Time) string {
	if time.IsZero() {
		return "none"
	}
	delta := time.UnixMilli() - base
	if delta > 10_000 && delta < 3_000_000 {
		return "now"
	}
	return fmt.Sprintf("base%+d", delta)
}

func text(bytes []byte) any {
	if bytes == nil {
		return nil
	}
	if len(bytes) > 60 {
		return fmt.Sprintf("%d bytes, %s", len(bytes), bytes[:8])
	}
	return string(bytes)
}

func (p *pass) config(options ...func(*sarama.Config)) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = p.version
	// What a synchronous producer and the reading below ask for; patience with a busy machine; no long wait when a reader closes.
	config.Producer.Return.Successes = true
	config.Consumer.Return.Errors = true
	config.Metadata.Retry.Max = 40
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	for _, option := range options {
		option(config)
	}
	return config
}

func (p *pass) create(topic string, partitions int32, configs ...string) any {
	entries := map[string]*string{}
	for i := 0; i+1 < len(configs); i += 2 {
		entries[configs[i]] = &configs[i+1]
	}
	return code(p.admin.CreateTopic(p.prefix+topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: entries}, false))
}

// Sends to partition 0, all messages in one batch.
func (p *pass) send(topic string, messages []*message, options ...func(*sarama.Config)) any {
	batched := func(config *sarama.Config) {
		config.Producer.Partitioner = sarama.NewManualPartitioner
		config.Producer.MaxMessageBytes = 5_000_000
		config.Producer.Flush.Messages = len(messages)
		config.Producer.Flush.Frequency = 2 * time.Second
	}
	return p.sendAsIs(topic, messages, append([]func(*sarama.Config){batched}, options...)...)
}

func (p *pass) sendAsIs(topic string, messages []*message, options ...func(*sarama.Config)) any {
	producer, err := sarama.NewSyncProducer([]string{bootstrap}, p.config(options...))
	if err != nil {
		return err.Error()
	}
	defer producer.Close()
	for at, one := range messages {
		one.Topic = p.prefix + topic
		one.Timestamp = time.UnixMilli(base + int64(at))
	}
	failed := map[*message]error{}
	var failures sarama.ProducerErrors
	if err := producer.SendMessages(messages); errors.As(err, &failures) {
		for _, failure := range failures {
			failed[failure.Msg] = failure.Err
		}
	} else if err != nil {
		return err.Error()
	}
	sent := []any{}
	for _, one := range messages {
		if err := failed[one]; err != nil {
			sent = append(sent, code(err))
		} else {
			sent = append(sent, []any{one.Partition, one.Offset, when(one.Timestamp)})
		}
	}
	return sent
}

func values(texts ...string) []*message {
	messages := []*message{}
	for _, value := range texts {
		messages = append(messages, &message{Value: sarama.StringEncoder(value)})
	}
	return messages
}

// Everything from an offset to the end of partition 0.
func (p *pass) read(topic string, offset int64, options ...func(*sarama.Config)) any {
	end, err := p.client.GetOffset(p.prefix+topic, 0, sarama.OffsetNewest)
	if err != nil {
		return code(err)
	}
	consumer, err := sarama.NewConsumer([]string{bootstrap}, p.config(options...))
	must(err)
	defer consumer.Close()
	partition, err := consumer.ConsumePartition(p.prefix+topic, 0, offset)
	if err != nil {
		return code(err)
	}
	defer partition.Close()
	found := []any{}
	if offset == sarama.OffsetOldest {
		offset = 0 // Only the loop below counts with it.
	}
	for next := offset; next < end; {
		select {
		case one := <-partition.Messages():
			headers := []any{}
			for _, header := range one.Headers {
				headers = append(headers, []any{text(header.Key), text(header.Value)})
			}
			found = append(found, []any{one.Partition, one.Offset, when(one.Timestamp), text(one.Key), text(one.Value), headers})
			next = one.Offset + 1
		case failure := <-partition.Errors():
			return append(found, code(failure.Err))
		case <-time.After(30 * time.Second):
			return append(found, "nothing more came")
		}
	}
	if len(found) > 0 {
		found = append(found, partition.HighWaterMarkOffset())
	}
	return append(found, end)
}

// Waits for messages whose producer waited for nothing.
func (p *pass) reached(topic string, end int64) bool {
	for range 200 {
		if offset, err := p.client.GetOffset(p.prefix+topic, 0, sarama.OffsetNewest); err == nil && offset >= end {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

func (p *pass) topics() {
	brokers, controller, err := p.admin.DescribeCluster()
	seen := []any{}
	for _, broker := range brokers {
		seen = append(seen, []any{broker.ID(), broker.Addr(), broker.Rack()})
	}
	p.emit("cluster", seen, controller, code(err))
	validated := code(p.admin.CreateTopic(p.prefix+"validated", &sarama.TopicDetail{NumPartitions: 3, ReplicationFactor: -1}, true))
	assigned := code(p.admin.CreateTopic(p.prefix+"assigned", &sarama.TopicDetail{NumPartitions: -1, ReplicationFactor: -1, ReplicaAssignment: map[int32][]int32{0: {1}, 1: {1}}}, false))
	p.emit("create-topics", p.create("plain", 2), p.create("plain", 2), p.create("bad", 1, "retention.ms", "soon"), p.create("no spaces", 1), p.create("default", -1), p.create("none", 0), validated, assigned)
	topics, err := p.admin.DescribeTopics([]string{p.prefix + "plain", p.prefix + "assigned", p.prefix + "missing", "no spaces"})
	described := []any{code(err)}
	sort.Slice(topics, func(a, b int) bool { return topics[a].Name < topics[b].Name })
	for _, topic := range topics {
		sort.Slice(topic.Partitions, func(a, b int) bool { return topic.Partitions[a].ID < topic.Partitions[b].ID })
		described = append(described, topic.Name, code(topic.Err), topic.IsInternal, topic.TopicAuthorizedOperations)
		for _, one := range topic.Partitions {
			described = append(described, []any{one.ID, code(one.Err), one.Leader, one.LeaderEpoch, one.Replicas, one.Isr, one.OfflineReplicas})
		}
	}
	p.emit("describe-topics", described)
	p.emit("grow-topic", code(p.admin.CreatePartitions(p.prefix+"plain", 4, nil, false)), code(p.admin.CreatePartitions(p.prefix+"plain", 3, nil, false)), code(p.admin.CreatePartitions(p.prefix+"missing", 4, nil, false)))
}

func (p *pass) configs() {
	topic := p.prefix + "plain"
	set := func(value string) *string { return &value }
	alter := func(name string, operation sarama.IncrementalAlterConfigsOperation, value *string) any {
		return code(p.admin.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{name: {Operation: operation, Value: value}}, false))
	}
	altered := []any{
		code(p.admin.AlterConfig(sarama.TopicResource, topic, map[string]*string{"retention.ms": set("7200000")}, false)),
		code(p.admin.AlterConfig(sarama.TopicResource, topic, map[string]*string{"retention.ms": set("soon")}, true)),
		code(p.admin.AlterConfig(sarama.TopicResource, p.prefix+"missing", map[string]*string{"retention.ms": set("1")}, false)),
		alter("segment.bytes", sarama.IncrementalAlterConfigsOperationSet, set("2000000")),
		alter("cleanup.policy", sarama.IncrementalAlterConfigsOperationAppend, set("compact")),
		alter("cleanup.policy", sarama.IncrementalAlterConfigsOperationSubtract, set("delete")),
		alter("retention.ms", sarama.IncrementalAlterConfigsOperationDelete, nil),
		alter("no.such.setting", sarama.IncrementalAlterConfigsOperationSet, set("1")),
	}
	p.emit("alter-configs", altered)
	described := []any{}
	for _, resource := range []sarama.ConfigResource{
		{Type: sarama.TopicResource, Name: topic},
		{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"cleanup.policy", "no.such.setting"}},
		{Type: sarama.TopicResource, Name: p.prefix + "missing"},
	} {
		entries, err := p.admin.DescribeConfig(resource)
		shown := map[string]any{}
		for _, entry := range entries {
			shown[entry.Name] = []any{entry.Value, entry.Source.String(), entry.Default, entry.ReadOnly, entry.Sensitive, entry.Type}
		}
		described = append(described, shown, code(err))
	}
	p.emit("describe-configs", described)
	listed, err := p.admin.ListTopics()
	mine := map[string]any{}
	for name, topic := range listed {
		if rest, found := strings.CutPrefix(name, p.prefix); found {
			mine[rest] = []any{topic.NumPartitions, topic.ReplicationFactor, topic.ReplicaAssignment, topic.ConfigEntries}
		}
	}
	p.emit("list-topics", mine, code(err))
}

func (p *pass) producing() {
	p.create("defaults", 3)
	keyed := []*message{}
	for i := range 12 {
		keyed = append(keyed, &message{Key: sarama.StringEncoder(fmt.Sprintf("key %d", i%4)), Value: sarama.StringEncoder(fmt.Sprintf("value %d", i))})
	}
	p.emit("produce-defaults", p.sendAsIs("defaults", keyed), p.read("defaults", sarama.OffsetOldest), p.sendAsIs("made-by-sending", []*message{{Key: sarama.StringEncoder("a"), Value: sarama.StringEncoder("b")}}), p.read("made-by-sending", 0))
	for _, codec := range []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD} {
		topic := "codec-" + codec.String()
		p.create(topic, 1)
		texts := []string{}
		for i := range 8 {
			texts = append(texts, strings.Repeat(fmt.Sprintf("%s %d ", codec, i), 30))
		}
		p.emit("produce-"+codec.String(), p.send(topic, values(texts...), func(config *sarama.Config) { config.Producer.Compression = codec }), p.read(topic, 0))
	}
	idempotent := func(config *sarama.Config) {
		config.Producer.Idempotent, config.Producer.RequiredAcks, config.Net.MaxOpenRequests = true, sarama.WaitForAll, 1
	}
	p.create("idempotent", 1)
	one := func(config *sarama.Config) { idempotent(config); config.Producer.Flush.Messages = 1 }
	p.emit("produce-idempotent", p.send("idempotent", values("a", "b", "c"), idempotent), p.send("idempotent", values("d", "e", "f"), one), p.read("idempotent", 0))
	p.create("acks", 1)
	acks := []any{}
	for at, wanted := range []sarama.RequiredAcks{sarama.WaitForAll, sarama.WaitForLocal, sarama.NoResponse} {
		sent := p.send("acks", values(fmt.Sprintf("acks %d", wanted)), func(config *sarama.Config) { config.Producer.RequiredAcks = wanted })
		acks = append(acks, sent, p.reached("acks", int64(at+1)))
	}
	p.emit("produce-acks", acks, p.read("acks", 0))
	p.create("headers", 1)
	header := func(key string, value []byte) sarama.RecordHeader {
		return sarama.RecordHeader{Key: []byte(key), Value: value}
	}
	p.emit("headers-and-nulls", p.send("headers", []*message{
		{Key: sarama.StringEncoder("key"), Value: sarama.StringEncoder("value"), Headers: []sarama.RecordHeader{header("a", []byte("1")), header("a", []byte("2")), header("größe", []byte("ü")), header("", []byte{}), header("null", nil)}},
		{Key: sarama.StringEncoder("no value")}, {Value: sarama.ByteEncoder{}}, {Key: sarama.ByteEncoder{}, Value: sarama.StringEncoder("empty key")}, {}}), p.read("headers", 0))
	p.create("large", 1)
	p.emit("large-records", p.send("large", values(strings.Repeat("x", 1_000_000))), p.send("large", values(strings.Repeat("x", 2_000_000))), p.read("large", 0), p.read("large", 0, func(config *sarama.Config) { config.Consumer.Fetch.Default = 1000 }))
	p.create("append-time", 1, "message.timestamp.type", "LogAppendTime")
	p.emit("timestamps", p.send("append-time", values("a", "b")), p.read("append-time", 0))
}

func (p *pass) consuming() {
	p.create("consumed", 1)
	texts := []string{}
	for i := range 20 {
		texts = append(texts, fmt.Sprintf("record %d", i))
	}
	p.send("consumed", values(texts...))
	committed := func(config *sarama.Config) { config.Consumer.IsolationLevel = sarama.ReadCommitted }
	p.emit("consume", p.read("consumed", 0), p.read("consumed", 7), p.read("consumed", 20), p.read("consumed", 21), p.read("consumed", sarama.OffsetOldest), p.read("consumed", sarama.OffsetNewest-100), p.read("consumed", 5, committed))
	found := []any{}
	for _, time := range []int64{sarama.OffsetOldest, sarama.OffsetNewest, base - 1, base, base + 7, base + 19, base + 20} {
		simple, simpleError := p.client.GetOffset(p.prefix+"consumed", 0, time)
		for _, isolation := range []sarama.IsolationLevel{sarama.ReadUncommitted, sarama.ReadCommitted} {
			results, err := p.admin.ListOffsets(map[string]map[int32]int64{p.prefix + "consumed": {0: time}}, &sarama.ListOffsetsOptions{IsolationLevel: isolation})
			answer := []any{simple, code(simpleError), code(err)}
			if result := results[p.prefix+"consumed"][0]; result != nil {
				timestamp := strconv.FormatInt(result.Timestamp, 10)
				if result.Timestamp > 0 {
					timestamp = fmt.Sprintf("base%+d", result.Timestamp-base)
				}
				answer = append(answer, result.Offset, timestamp, result.LeaderEpoch, code(result.Err))
			}
			found = append(found, answer)
		}
	}
	p.emit("offsets-by-time", found)
	deleted := []any{}
	for _, offset := range []int64{4, 21, -1} {
		err := p.admin.DeleteRecords(p.prefix+"consumed", map[int32]int64{0: offset})
		oldest, second := p.client.GetOffset(p.prefix+"consumed", 0, sarama.OffsetOldest)
		deleted = append(deleted, []any{code(err), oldest, code(second), p.read("consumed", 3), p.read("consumed", oldest)})
	}
	p.emit("delete-records", deleted)
}

func (p *pass) ending() {
	directories, err := p.admin.DescribeLogDirs([]int32{1})
	sizes := map[string]any{}
	for _, directory := range directories[1] {
		for _, topic := range directory.Topics {
			rest, found := strings.CutPrefix(topic.Topic, p.prefix)
			for _, one := range topic.Partitions {
				if found && strings.HasPrefix(rest, "codec-") {
					sizes[rest] = []any{code(directory.ErrorCode), one.PartitionID, one.Size, one.OffsetLag, one.IsTemporary}
				}
			}
		}
	}
	p.emit("log-dirs", sizes, code(err))
	p.emit("delete-topics", code(p.admin.DeleteTopic(p.prefix+"consumed")), code(p.admin.DeleteTopic(p.prefix+"missing")))
}

func main() {
	for _, p := range []*pass{
		{version: sarama.DefaultVersion, prefix: "sarama-"},
		{version: sarama.MaxVersion, prefix: "sarama-newest-", suffix: "-newest"},
	} {
		var err error
		p.client, err = sarama.NewClient([]string{bootstrap}, p.config())
		must(err)
		p.admin, err = sarama.NewClusterAdminFromClient(p.client)
		must(err)
		if len(os.Args) > 3 {
			p.groups()
			must(p.admin.Close())
			continue
		}
		p.topics()
		p.configs()
		p.producing()
		p.consuming()
		p.ending()
		must(p.admin.Close())
	}
}
