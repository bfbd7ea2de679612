// Produces pre-encoded batches over many connections, with many requests in flight on each.
package main

import (
	"flag"
	"sync"
	"sync/atomic"
	"time"
)

// produceLoad says what is produced.
type produceLoad struct {
	bootstrap, topic                              string
	connections, inflight, partitions, perRequest int
	recordBytes, batchBytes, acks                 int
	records                                       int64
	// Records a second over all connections; 0 is as fast as it goes.
	rate float64
	// Ends the load though not all records are produced; 0 waits for them.
	seconds float64
	// Whether each batch carries the moment of its sending.
	stamped bool
	// Ends the load early.
	stop *atomic.Bool
}

func (l *produceLoad) flags(set *flag.FlagSet) {
	set.StringVar(&l.bootstrap, "bootstrap", "127.0.0.1:9092", "HOST:PORT")
	set.StringVar(&l.topic, "topic", "bench", "topic that exists")
	set.IntVar(&l.connections, "connections", 1, "connections")
	set.IntVar(&l.inflight, "inflight", 5, "requests in flight on each")
	set.IntVar(&l.partitions, "partitions", 1, "partitions of the topic")
	set.IntVar(&l.perRequest, "per-request", 1, "partitions in a request")
	set.IntVar(&l.recordBytes, "record", 100, "bytes of a value")
	set.IntVar(&l.batchBytes, "batch", 16384, "bytes of a batch")
	set.IntVar(&l.acks, "acks", 1, "1 or -1")
	set.Int64Var(&l.records, "records", 1000000, "records in all")
	set.Float64Var(&l.seconds, "seconds", 0, "ends the load though not all records are produced; 0 waits for them")
	set.Float64Var(&l.rate, "rate", 0, "records a second in all; 0 is no limit")
}

// produced is what one connection did.
type produced struct {
	requests  int64
	latencies []time.Duration
	err       error
}

func runProduce(load produceLoad) (result, error) {
	sample := newBatch(load.recordBytes, load.batchBytes)
	perRequest := int64(sample.records * load.perRequest)
	requests := (load.records + perRequest - 1) / perRequest
	links := make([]*link, load.connections)
	for i := range links {
		var err error
		if links[i], err = dial(load.bootstrap); err != nil {
			return nil, err
		}
	}
	if load.stop == nil {
		load.stop = new(atomic.Bool)
	}
	defer stopAfter(load.seconds, load.stop)()
	outcomes := make([]produced, load.connections)
	var group sync.WaitGroup
	start := time.Now()
	for i := range outcomes {
		share := requests / int64(load.connections)
		if int64(i) < requests%int64(load.connections) {
			share++
		}
		group.Add(1)
		go func(i int, share int64) {
			defer group.Done()
			outcomes[i] = produceOver(links[i], load, sample, i, share)
			links[i].socket.Close()
		}(i, share)
	}
	group.Wait()
	return sumUp(outcomes, sample, load.perRequest, time.Since(start))
}

// stopAfter sets stop after so many seconds, unless what it returns is called before; 0 is never.
func stopAfter(seconds float64, stop *atomic.Bool) func() {
	if seconds <= 0 {
		return func() {}
	}
	timer := time.AfterFunc(time.Duration(seconds*float64(time.Second)), func() { stop.Store(true) })
	return func() { timer.Stop() }
}

func sumUp(outcomes []produced, sample *batch, perRequest int, took time.Duration) (result, error) {
	var requests int64
	all := make([][]time.Duration, 0, len(outcomes))
	for _, outcome := range outcomes {
		if outcome.err != nil {
			return nil, outcome.err
		}
		requests += outcome.requests
		all = append(all, outcome.latencies)
	}
	sums := result{
		"records":  float64(requests * int64(sample.records*perRequest)),
		"bytes":    float64(requests * int64(len(sample.bytes)*perRequest)),
		"requests": float64(requests),
		"seconds":  took.Seconds(),
	}
	sums.latencies("", all...)
	return sums, nil
}

// produceOver sends share requests over one connection, and reads their answers beside that.
func produceOver(l *link, load produceLoad, sample *batch, number int, share int64) produced {
	frame := newProduceFrame(load.topic, int16(load.acks), load.perRequest, sample)
	sent := make(chan time.Time, load.inflight)
	places := make(chan struct{}, load.inflight)
	outcome := produced{latencies: make([]time.Duration, 0, share)}
	done := make(chan error, 1)
	go func() {
		correlation := int32(0)
		for at := range sent {
			answer, err := l.read()
			if err == nil {
				err = checkProduced(answer, correlation)
			}
			if err != nil {
				done <- err
				l.socket.Close()
				<-places
				for range sent {
					<-places
				}
				return
			}
			outcome.latencies = append(outcome.latencies, time.Since(at))
			correlation++
			<-places
		}
		done <- nil
	}()
	pace := newPace(load, sample, number)
	var failure error
	for i := int64(0); i < share && failure == nil; i++ {
		if load.stop.Load() {
			break
		}
		due := pace.wait(i)
		places <- struct{}{}
		if due.IsZero() {
			due = time.Now()
		}
		frame.address(int32(i), (number+int(i)*load.connections)*load.perRequest, load.partitions)
		if load.stamped {
			for _, at := range frame.batchesAt {
				stamp(frame.bytes[at:at+len(sample.bytes)], sample.stampAt, now())
			}
		}
		sent <- due
		_, failure = l.socket.Write(frame.bytes)
		outcome.requests++
	}
	close(sent)
	if outcome.err = <-done; outcome.err == nil {
		outcome.err = failure
	}
	return outcome
}

// pace spaces requests evenly.
type pace struct {
	begin    time.Time
	interval time.Duration
}

func newPace(load produceLoad, sample *batch, number int) pace {
	if load.rate <= 0 {
		return pace{}
	}
	perSecond := load.rate / float64(sample.records*load.perRequest) / float64(load.connections)
	interval := time.Duration(float64(time.Second) / perSecond)
	// Connections take turns.
	shift := interval * time.Duration(number) / time.Duration(load.connections)
	return pace{begin: time.Now().Add(shift), interval: interval}
}

// wait sleeps until request i is due. It returns when that was, if the load is late; zero when it is not, since a sleep that
// lasted too long is not the broker's doing.
func (p pace) wait(i int64) time.Time {
	if p.interval == 0 {
		return time.Time{}
	}
	due := p.begin.Add(time.Duration(i) * p.interval)
	if ahead := time.Until(due); ahead > 0 {
		time.Sleep(ahead)
		return time.Time{}
	} else if ahead > -5*time.Millisecond {
		return time.Time{}
	}
	return due
}

var epoch = time.Now()

// now is the time of this process, in nanoseconds.
func now() int64 { return int64(time.Since(epoch)) }
