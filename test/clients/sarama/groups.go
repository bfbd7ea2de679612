// Sarama's consumer groups and its admin client go through the scenarios of groups.
package main

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// A member of a group, what it read and what it was given.
type member struct {
	group  sarama.ConsumerGroup
	cancel context.CancelFunc
	done   chan struct{}
	mutex  sync.Mutex
	read   map[string]bool
	owned  int
	errors []any
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.owned = 0
	for _, partitions := range session.Claims() {
		m.owned += len(partitions)
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.owned = 0
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case one, isOpen := <-claim.Messages():
			if !isOpen {
				return nil
			}
			m.mutex.Lock()
			m.read[fmt.Sprint(one.Topic, " ", one.Partition, " ", one.Offset, " ", string(one.Value))] = true
			m.mutex.Unlock()
			session.MarkMessage(one, "read")
		case <-session.Context().Done():
			return nil
		}
	}
}

func (p *pass) join(group, topic string, options ...func(*sarama.Config)) *member {
	config := p.config(append([]func(*sarama.Config){func(config *sarama.Config) {
		config.Consumer.Offsets.Initial = sarama.OffsetOldest
		config.Consumer.Offsets.AutoCommit.Interval = 100 * time.Millisecond
		config.Consumer.Group.Heartbeat.Interval = 100 * time.Millisecond
		config.Consumer.Group.Rebalance.Retry.Backoff = 50 * time.Millisecond
	}}, options...)...)
	client, err := sarama.NewConsumerGroup([]string{bootstrap}, group, config)
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{group: client, cancel: cancel, done: make(chan struct{}), read: map[string]bool{}}
	go func() {
		for range client.Errors() {
		}
	}()
	go func() {
		defer close(m.done)
		for ctx.Err() == nil {
			if err := client.Consume(ctx, []string{topic}, m); err != nil {
				m.mutex.Lock()
				m.errors = append(m.errors, code(err))
				m.mutex.Unlock()
				return
			}
		}
	}()
	return m
}

func (m *member) leave() {
	m.cancel()
	<-m.done
	m.group.Close()
}

// How much all have read together, and what each owns.
func seen(members ...*member) (int, []int) {
	all := map[string]bool{}
	owned := []int{}
	for _, one := range members {
		one.mutex.Lock()
		for record := range one.read {
			all[record] = true
		}
		owned = append(owned, one.owned)
		one.mutex.Unlock()
	}
	sort.Ints(owned)
	return len(all), owned
}

func until(read int, owned string, members ...*member) any {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if count, has := seen(members...); count == read && fmt.Sprint(has) == owned {
			return true
		}
	}
	count, has := seen(members...)
	return []any{count, has, members[0].errors}
}

func (p *pass) fill(topic string, partitions, first, count int) {
	messages := []*message{}
	for at := first; at < first+count; at++ {
		for partition := 0; partition < partitions; partition++ {
			messages = append(messages, &message{Partition: int32(partition), Value: sarama.StringEncoder(fmt.Sprint("record ", at))})
		}
	}
	p.send(topic, messages)
}

func (p *pass) committed(group string) any {
	answer, err := p.admin.ListConsumerGroupOffsets(group, nil)
	all := []string{}
	if err == nil {
		for topic, partitions := range answer.Blocks {
			for partition, one := range partitions {
				all = append(all, fmt.Sprint(topic, " ", partition, " ", one.Offset, " '", one.Metadata, "' ", code(one.Err)))
			}
		}
	}
	sort.Strings(all)
	return []any{all, code(err)}
}

func (p *pass) described(group string) any {
	groups, err := p.admin.DescribeConsumerGroups([]string{group})
	if err != nil {
		return code(err)
	}
	one := groups[0]
	return []any{one.State, one.ProtocolType, one.Protocol, len(one.Members), code(one.Err)}
}

func (p *pass) share(name string, strategy sarama.BalanceStrategy) {
	topic := "groups-" + name
	p.create(topic, 4)
	time.Sleep(500 * time.Millisecond)
	p.fill(topic, 4, 0, 5)
	group := p.prefix + topic
	balanced := func(config *sarama.Config) {
		config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
	}
	a := p.join(group, p.prefix+topic, balanced)
	alone := until(20, "[4]", a)
	b := p.join(group, p.prefix+topic, balanced)
	both := until(20, "[2 2]", a, b)
	shown := p.described(group)
	p.fill(topic, 4, 5, 2)
	more := until(28, "[2 2]", a, b)
	b.leave()
	again := until(28, "[0 4]", a, b)
	a.leave()
	p.emit("groups-"+name, alone, both, shown, more, again, p.committed(group), p.described(group))
}

func (p *pass) staticMember() {
	p.create("groups-static", 1)
	time.Sleep(500 * time.Millisecond)
	topic := p.prefix + "groups-static"
	p.fill("groups-static", 1, 0, 3)
	answers := []any{}
	for life := 0; life < 2; life++ {
		a := p.join(topic, topic, func(config *sarama.Config) { config.Consumer.Group.InstanceId = "one" })
		answers = append(answers, until([]int{3, 1}[life], "[1]", a))
		a.leave()
		p.fill("groups-static", 1, 3, 1)
	}
	p.emit("groups-static", append(answers, p.committed(topic))...)
}

func (p *pass) groupAdmin() {
	group := p.prefix + "groups-range"
	listed, err := p.admin.ListConsumerGroups()
	answers := []any{listed[group], code(err), p.described(p.prefix + "groups-nobody"), p.committed(p.prefix + "groups-nobody")}
	answers = append(answers, code(p.admin.DeleteConsumerGroupOffset(group, group, 0)), code(p.admin.DeleteConsumerGroupOffset(group, group, 9)), p.committed(group))
	for _, name := range []string{group, group, p.prefix + "groups-nobody"} {
		answers = append(answers, code(p.admin.DeleteConsumerGroup(name)))
	}
	coordinator, err := p.client.Coordinator(group)
	p.emit("groups-admin", append(answers, coordinator.ID(), code(err))...)
}

func (p *pass) groups() {
	p.share("range", sarama.NewBalanceStrategyRange())
	p.share("round-robin", sarama.NewBalanceStrategyRoundRobin())
	p.share("sticky", sarama.NewBalanceStrategySticky())
	p.staticMember()
	p.groupAdmin()
}
