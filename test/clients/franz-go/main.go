// franz-go, which speaks the newest versions, goes through the scenarios. Arguments: BOOTSTRAP, the base time, and `groups` for those of groups.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const prefix = "franz-"

var (
	bootstrap = os.Args[1]
	base, _   = strconv.ParseInt(os.Args[2], 10, 64)
	ctx, _    = context.WithTimeout(context.Background(), 90*time.Second)
	admin     *kadm.Client
)

func emit(scenario string, answer ...any) {
	line, err := json.Marshal(map[string]any{"scenario": scenario, "answer": answer})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func code(err error) any {
	if err == nil {
		return nil
	}
	var known *kerr.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return err.Error()
}

func when(timestamp int64) string {
	delta := timestamp - base
	if delta > 10_000 && delta < 3_000_000 {
		return "now"
	}
	if delta > -8_000_000 && delta < 8_000_000 {
		return fmt.Sprintf("base%+d", delta)
	}
	return strconv.FormatInt(timestamp, 10)
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

func create(topic string, partitions int32, configs ...string) any {
	set := map[string]*string{}
	for i := 0; i+1 < len(configs); i += 2 {
		set[configs[i]] = kadm.StringPtr(configs[i+1])
	}
	answer, err := admin.CreateTopic(ctx, partitions, 1, set, prefix+topic)
	return []any{answer.NumPartitions, answer.ReplicationFactor, len(answer.Configs), code(errors.Join(err, answer.Err))}
}

func send(topic string, records []*kgo.Record, options ...kgo.Opt) any {
	all := append([]kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(5_000_000), kgo.MaxBufferedBytes(50_000_000),
		kgo.ProducerLinger(20 * time.Millisecond)}, options...)
	client, err := kgo.NewClient(all...)
	if err != nil {
		return err.Error()
	}
	defer client.Close()
	for at, record := range records {
		record.Topic = prefix + topic
		if record.Timestamp.IsZero() {
			record.Timestamp = time.UnixMilli(base + int64(at))
		}
	}
	sent := []any{}
	for _, result := range client.ProduceSync(ctx, records...) {
		sent = append(sent, []any{result.Record.Offset, code(result.Err)})
	}
	return sent
}

func values(texts ...string) []*kgo.Record {
	records := []*kgo.Record{}
	for _, value := range texts {
		records = append(records, &kgo.Record{Value: []byte(value)})
	}
	return records
}

func read(topic string, offset int64, options ...kgo.Opt) any {
	ends, err := admin.ListEndOffsets(ctx, prefix+topic)
	if err != nil {
		return code(err)
	}
	end, _ := ends.Lookup(prefix+topic, 0)
	all := append([]kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.FetchMaxWait(50 * time.Millisecond), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{prefix + topic: {0: kgo.NewOffset().At(offset)}})}, options...)
	client, err := kgo.NewClient(all...)
	if err != nil {
		return err.Error()
	}
	defer client.Close()
	found := []any{}
	for next := offset; next < end.Offset; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return append(found, code(err))
		}
		fetches.EachRecord(func(record *kgo.Record) {
			headers := []any{}
			for _, header := range record.Headers {
				headers = append(headers, []any{header.Key, text(header.Value)})
			}
			found = append(found, []any{record.Offset, when(record.Timestamp.UnixMilli()), record.Attrs.TimestampType(), record.LeaderEpoch, text(record.Key), text(record.Value), headers})
			next = record.Offset + 1
		})
	}
	return found
}

func main() {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	if err != nil {
		panic(err)
	}
	admin = kadm.NewClient(client)
	if len(os.Args) > 3 {
		groups()
		return
	}
	metadata, err := admin.BrokerMetadata(ctx)
	emit("cluster", metadata.Brokers.NodeIDs(), metadata.Controller, len(metadata.Cluster), code(err))
	emit("create-topics", create("plain", 2), create("plain", 2), create("bad", 1, "retention.ms", "soon"), create("no spaces", 1), create("default", -1))
	topics, err := admin.ListTopics(ctx, prefix+"plain", prefix+"missing")
	described := []any{code(err)}
	for _, topic := range topics.Sorted() {
		for _, partition := range topic.Partitions.Sorted() {
			described = append(described, []any{partition.Partition, partition.Leader, partition.LeaderEpoch, partition.Replicas, partition.ISR, partition.OfflineReplicas})
		}
		described = append(described, topic.Topic, code(topic.Err), topic.IsInternal)
	}
	emit("describe-topics", described)
	grown, err := admin.UpdatePartitions(ctx, 4, prefix+"plain", prefix+"missing")
	emit("grow-topic", code(err), code(grown[prefix+"plain"].Err), code(grown[prefix+"missing"].Err))
	altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("7200000")}}, prefix+"plain")
	configs, second := admin.DescribeTopicConfigs(ctx, prefix+"plain")
	shown := []string{}
	for _, config := range configs[0].Configs {
		shown = append(shown, config.Key+"="+config.MaybeValue()+" "+config.Source.String())
	}
	sort.Strings(shown)
	emit("configs", code(err), code(altered[0].Err), code(second), shown)
	for name, codec := range map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()} {
		create("codec-"+name, 1)
		texts := []string{}
		for i := 0; i < 8; i++ {
			texts = append(texts, strings.Repeat(fmt.Sprintf("%s %d ", name, i), 30))
		}
		emit("produce-"+name, send("codec-"+name, values(texts...), kgo.ProducerBatchCompression(codec)), read("codec-"+name, 0))
	}
	create("acks", 1)
	emit("produce-acks", send("acks", values("all", "in sync")), send("acks", values("leader"), kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite()), read("acks", 0))
	create("headers", 1)
	emit("headers-and-nulls", send("headers", []*kgo.Record{
		{Key: []byte("key"), Value: []byte("value"), Headers: []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "größe", Value: []byte("ü")}, {Key: "null"}}},
		{Key: []byte("no value")}, {Value: []byte{}}, {}}), read("headers", 0))
	create("large", 1)
	emit("large-records", send("large", values(strings.Repeat("x", 1_000_000))), send("large", values(strings.Repeat("x", 2_000_000))), read("large", 0), read("large", 0, kgo.FetchMaxPartitionBytes(1000)))
	create("append-time", 1, "message.timestamp.type", "LogAppendTime")
	emit("timestamps", send("append-time", values("a", "b")), read("append-time", 0))
	create("consumed", 1)
	texts := []string{}
	for i := 0; i < 20; i++ {
		texts = append(texts, fmt.Sprintf("record %d", i))
	}
	send("consumed", values(texts...))
	emit("consume", read("consumed", 0), read("consumed", 7), read("consumed", 20), read("consumed", 5, kgo.FetchIsolationLevel(kgo.ReadCommitted())))
	found := []any{}
	for _, delta := range []int64{-1, 0, 7, 19, 20} {
		offsets, err := admin.ListOffsetsAfterMilli(ctx, base+delta, prefix+"consumed")
		offset, _ := offsets.Lookup(prefix+"consumed", 0)
		found = append(found, []any{offset.Offset, when(offset.Timestamp), offset.LeaderEpoch, code(err)})
	}
	emit("offsets-by-time", found)
	deleted := []any{}
	for _, offset := range []int64{4, 21, -1} {
		answer, err := admin.DeleteRecords(ctx, kadm.Offsets{prefix + "consumed": {0: {Topic: prefix + "consumed", Partition: 0, At: offset}}})
		one, _ := answer.Lookup(prefix+"consumed", 0)
		deleted = append(deleted, []any{one.LowWatermark, code(one.Err), code(err)})
	}
	emit("delete-records", deleted)
	dirs, err := admin.DescribeAllLogDirs(ctx, kadm.TopicsSet{prefix + "codec-gzip": {0: {}}})
	sizes := []any{code(err)}
	dirs.Each(func(dir kadm.DescribedLogDir) {
		dir.Topics.Each(func(partition kadm.DescribedLogDirPartition) {
			sizes = append(sizes, partition.Size, partition.OffsetLag, partition.IsFuture)
		})
	})
	emit("log-dirs", sizes)
	gone, err := admin.DeleteTopics(ctx, prefix+"consumed", prefix+"missing")
	emit("delete-topics", code(err), code(gone[prefix+"consumed"].Err), code(gone[prefix+"missing"].Err))
}
