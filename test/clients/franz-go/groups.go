// franz-go's consumers, of both protocols, and its admin client go through the scenarios of groups.
package main

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const groupPrefix = prefix + "groups-"

type member struct {
	client *kgo.Client
	read   map[string]bool
	errors []any
}

func join(group, topic string, options ...kgo.Opt) *member {
	all := append([]kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(50 * time.Millisecond),
		kgo.SessionTimeout(10 * time.Second), kgo.HeartbeatInterval(100 * time.Millisecond), kgo.DisableAutoCommit(), kgo.MetadataMinAge(100 * time.Millisecond)}, options...)
	client, err := kgo.NewClient(all...)
	if err != nil {
		panic(err)
	}
	return &member{client: client, read: map[string]bool{}}
}

func (m *member) poll() {
	short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	fetches := m.client.PollFetches(short)
	fetches.EachError(func(_ string, _ int32, err error) {
		if err != context.DeadlineExceeded {
			m.errors = append(m.errors, code(err))
		}
	})
	fetches.EachRecord(func(record *kgo.Record) {
		m.read[fmt.Sprint(record.Topic, " ", record.Partition, " ", record.Offset, " ", string(record.Value))] = true
	})
}

// How many partitions the broker says that a member of the group has, fewest first.
func owned(group string) []int {
	counts := []int{}
	described, err := admin.DescribeGroups(ctx, group)
	if err != nil {
		return counts
	}
	for _, one := range described[group].Members {
		if assigned, ok := one.Assigned.AsConsumer(); ok {
			for _, topic := range assigned.Topics {
				counts = append(counts, len(topic.Partitions))
			}
		}
	}
	if consumers, err := admin.DescribeConsumerGroups(ctx, group); err == nil {
		for _, one := range consumers[group].Members {
			for _, partitions := range one.Assignment {
				counts = append(counts, len(partitions))
			}
		}
	}
	sort.Ints(counts)
	return counts
}

func until(done func() bool, members ...*member) any {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if done() {
			return true
		}
		for _, one := range members {
			one.poll()
		}
	}
	stuck := []any{}
	for _, one := range members {
		stuck = append(stuck, len(one.read), one.errors)
	}
	return stuck
}

func fill(topic string, partitions, first, count int) {
	records := []*kgo.Record{}
	for at := first; at < first+count; at++ {
		for partition := 0; partition < partitions; partition++ {
			records = append(records, &kgo.Record{Partition: int32(partition), Value: []byte(fmt.Sprint("record ", at)), Timestamp: time.UnixMilli(base + int64(at))})
		}
	}
	send(topic, records)
}

func committed(group string) any {
	offsets, err := admin.FetchOffsets(ctx, group)
	all := []string{}
	offsets.Each(func(one kadm.OffsetResponse) {
		// Its own metadata is the member's id: a name and a uuid.
		metadata := one.Metadata[:max(0, len(one.Metadata)-36)]
		all = append(all, fmt.Sprint(one.Topic, " ", one.Partition, " ", one.At, " ", one.LeaderEpoch, " '", metadata, "' ", code(one.Err)))
	})
	sort.Strings(all)
	return []any{all, code(err)}
}

func described(group string) any {
	groups, err := admin.DescribeGroups(ctx, group)
	one := groups[group]
	classic := []any{one.State, one.ProtocolType, one.Protocol, len(one.Members), code(one.Err), code(err)}
	consumers, err := admin.DescribeConsumerGroups(ctx, group)
	other := consumers[group]
	return []any{classic, other.State, other.AssignorName, len(other.Members), code(other.Err), code(err)}
}

func union(members ...*member) int {
	all := map[string]bool{}
	for _, one := range members {
		for record := range one.read {
			all[record] = true
		}
	}
	return len(all)
}

func share(name string, options ...kgo.Opt) {
	topic := "groups-share-" + name
	create(topic, 4)
	time.Sleep(500 * time.Millisecond)
	fill(topic, 4, 0, 5)
	group := prefix + topic
	a := join(group, prefix+topic, options...)
	allRead := until(func() bool { return len(a.read) == 20 }, a)
	first := code(a.client.CommitUncommittedOffsets(ctx))
	b := join(group, prefix+topic, options...)
	both := until(func() bool { return fmt.Sprint(owned(group)) == "[2 2]" }, a, b)
	shown := described(group)
	fill(topic, 4, 5, 2)
	more := until(func() bool { return union(a, b) == 28 }, a, b)
	b.client.Close()
	alone := until(func() bool { return fmt.Sprint(owned(group)) == "[4]" }, a)
	fill(topic, 4, 7, 1)
	last := until(func() bool { return union(a, b) == 32 }, a)
	a.client.Close()
	emit("groups-share-"+name, allRead, first, both, shown, more, alone, last)
}

func groupCommits() {
	create("groups-commits", 2)
	time.Sleep(500 * time.Millisecond)
	topic := prefix + "groups-commits"
	fill("groups-commits", 2, 0, 4)
	a := join(topic, topic)
	until(func() bool { return len(a.read) == 8 }, a)
	answers := []any{}
	for _, one := range []kgo.EpochOffset{{Epoch: 0, Offset: 2}, {Epoch: -1, Offset: 3}} {
		var failure error
		a.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{topic: {0: one}}, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
			failure = err
			if err == nil {
				failure = kerr.ErrorForCode(answer.Topics[0].Partitions[0].ErrorCode)
			}
		})
		answers = append(answers, code(failure), committed(topic))
	}
	a.client.Close()
	answers = append(answers, described(topic))
	altered, err := admin.CommitOffsets(ctx, topic, kadm.Offsets{topic: {0: {Topic: topic, Partition: 0, At: 1, LeaderEpoch: -1, Metadata: "set"}, 9: {Topic: topic, Partition: 9, At: 1, LeaderEpoch: -1}}})
	altered.Each(func(one kadm.OffsetResponse) {
		answers = append(answers, fmt.Sprint(one.Partition, " ", code(one.Err)))
	})
	sort.Slice(answers, func(i, j int) bool { return fmt.Sprint(answers[i]) < fmt.Sprint(answers[j]) })
	answers = append(answers, code(err), committed(topic))
	lags, err := admin.Lag(ctx, topic)
	answers = append(answers, lags[topic].Lag.Total(), code(err))
	emit("groups-commits", answers...)
}

func groupAdmin() {
	topic := prefix + "groups-commits"
	listed, err := admin.ListGroups(ctx)
	one := listed[topic]
	answers := []any{one.State, one.ProtocolType, code(err)}
	for _, state := range []string{"Empty", "Stable"} {
		found, err := admin.ListGroups(ctx, state)
		_, isThere := found[topic]
		answers = append(answers, isThere, code(err))
	}
	gone, err := admin.DeleteOffsets(ctx, topic, kadm.TopicsSet{topic: {0: {}, 9: {}}})
	partitions := []string{}
	for name, errors := range gone {
		for partition, failure := range errors {
			partitions = append(partitions, fmt.Sprint(name, " ", partition, " ", code(failure)))
		}
	}
	sort.Strings(partitions)
	answers = append(answers, partitions, code(err), described(prefix+"groups-nobody"))
	for _, group := range []string{topic, topic, prefix + "groups-nobody"} {
		deleted, err := admin.DeleteGroups(ctx, group)
		answers = append(answers, code(deleted[group].Err), code(err))
	}
	coordinators := admin.FindGroupCoordinators(ctx, topic)
	emit("groups-admin", append(answers, coordinators[topic].NodeID, code(coordinators[topic].Err))...)
}

func staticMember() {
	create("groups-static", 2)
	time.Sleep(500 * time.Millisecond)
	topic := prefix + "groups-static"
	fill("groups-static", 2, 0, 3)
	answers := []any{}
	for life := 0; life < 2; life++ {
		a := join(topic, topic, kgo.InstanceID("one"))
		expected := 6
		if life == 1 {
			expected = 2
		}
		answers = append(answers, until(func() bool { return len(a.read) == expected }, a), code(a.client.CommitUncommittedOffsets(ctx)))
		a.client.Close()
		fill("groups-static", 2, 3, 1)
	}
	emit("groups-static", append(answers, described(topic), committed(topic))...)
}

func groups() {
	share("range", kgo.Balancers(kgo.RangeBalancer()))
	share("round-robin", kgo.Balancers(kgo.RoundRobinBalancer()))
	share("sticky", kgo.Balancers(kgo.StickyBalancer()))
	share("cooperative-sticky", kgo.Balancers(kgo.CooperativeStickyBalancer()))
	share("consumer-range", kgo.ServerSideBalancer(), kgo.Balancers(kgo.RangeBalancer()))
	share("consumer-uniform", kgo.ServerSideBalancer(), kgo.Balancers(kgo.StickyBalancer()))
	groupCommits()
	groupAdmin()
	staticMember()
}
