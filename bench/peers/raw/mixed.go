// Tails and readers of old records beside producers at a steady rate.
package main

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

// mixedLoad says who reads beside the producers.
type mixedLoad struct {
	produce         produceLoad
	tails, catchups int
	// Another topic, full of old records, whose readers want as much as they get.
	oldTopic string
	maxBytes int
}

// reading is what one reader did.
type reading struct {
	latencies      []time.Duration
	records, bytes int64
	err            error
}

func runMixed(load mixedLoad) (result, error) {
	load.produce.stamped = load.tails > 0
	var stop atomic.Bool
	load.produce.stop = &stop
	tails, olds := make([]reading, load.tails), make([]reading, load.catchups)
	var ready, group sync.WaitGroup
	read := func(into *reading, tail bool, number int) {
		ready.Add(1)
		group.Add(1)
		go func() {
			defer group.Done()
			*into = follow(load, tail, number, &stop, &ready)
			if into.err != nil {
				stop.Store(true)
			}
		}()
	}
	for i := range tails {
		read(&tails[i], true, i)
	}
	for i := range olds {
		read(&olds[i], false, i)
	}
	ready.Wait()
	start := time.Now()
	sums, err := runProduce(load.produce)
	took := time.Since(start)
	stop.Store(true)
	group.Wait()
	for _, one := range append(tails, olds...) {
		if err == nil {
			err = one.err
		}
	}
	if err != nil {
		return nil, err
	}
	var tailLatencies [][]time.Duration
	var oldRecords, oldBytes int64
	for _, one := range tails {
		tailLatencies = append(tailLatencies, one.latencies)
	}
	for _, one := range olds {
		oldRecords, oldBytes = oldRecords+one.records, oldBytes+one.bytes
	}
	sums.latencies("tail", tailLatencies...)
	if load.catchups > 0 {
		sums["catchupRecordsPerSecond"] = float64(oldRecords) / took.Seconds()
		sums["catchupBytesPerSecond"] = float64(oldBytes) / took.Seconds()
	}
	return sums, nil
}

// follow reads until it is told to stop: the tail of the produced topic, or old records from their beginning.
func follow(load mixedLoad, tail bool, number int, stop *atomic.Bool, ready *sync.WaitGroup) (done reading) {
	l, err := dial(load.produce.bootstrap)
	if err != nil {
		ready.Done()
		return reading{err: err}
	}
	defer l.socket.Close()
	request := fetchRequest{topic: load.oldTopic, maxBytes: int32(load.maxBytes), minBytes: 1, maxWaitMs: 200}
	if tail {
		request.topic, request.partition = load.produce.topic, int32(number%load.produce.partitions)
		begin := request
		begin.maxWaitMs, begin.minBytes = 0, 0
		got, err := l.fetch(begin, 0)
		if err != nil {
			ready.Done()
			return reading{err: err}
		}
		request.offset = got.highWatermark
	}
	stampAt := newBatch(load.produce.recordBytes, load.produce.batchBytes).stampAt
	ready.Done()
	for n := int32(1); !stop.Load(); n++ {
		got, err := l.fetch(request, n)
		at := now()
		if err != nil {
			done.err = err
			return
		}
		done.bytes += int64(len(got.records))
		request.offset, err = walk(got.records, request.offset, false, func(one []byte, count int) {
			done.records += int64(count)
			if tail {
				sent := int64(binary.BigEndian.Uint64(one[stampAt:]))
				done.latencies = append(done.latencies, time.Duration(at-sent))
			}
		})
		if err != nil {
			done.err = err
			return
		}
		if !tail && request.offset >= got.highWatermark {
			request.offset = 0
		}
	}
	return
}
