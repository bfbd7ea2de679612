// Fetches what is there, over and over, one request in flight on each connection.
package main

import (
	"flag"
	"sync"
	"sync/atomic"
	"time"
)

// fetchLoad says what is fetched.
type fetchLoad struct {
	bootstrap, topic                  string
	connections, partitions, maxBytes int
	records                           int64
	crc                               bool
	seconds                           float64
}

func (l *fetchLoad) flags(set *flag.FlagSet) {
	set.StringVar(&l.bootstrap, "bootstrap", "127.0.0.1:9092", "HOST:PORT")
	set.StringVar(&l.topic, "topic", "bench", "topic that holds records")
	set.IntVar(&l.connections, "connections", 3, "connections")
	set.IntVar(&l.partitions, "partitions", 1, "partitions of the topic")
	set.IntVar(&l.maxBytes, "max-bytes", 1<<20, "bytes of an answer")
	set.Int64Var(&l.records, "records", 1000000, "records in all")
	set.Float64Var(&l.seconds, "seconds", 0, "ends the load though not all records are fetched; 0 waits for them")
	set.BoolVar(&l.crc, "crc", false, "check every batch's CRC")
}

func runFetch(load fetchLoad) (result, error) {
	var records, bytes, requests atomic.Int64
	var latencies = make([][]time.Duration, load.connections)
	errors := make([]error, load.connections)
	links := make([]*link, load.connections)
	for i := range links {
		var err error
		if links[i], err = dial(load.bootstrap); err != nil {
			return nil, err
		}
		defer links[i].socket.Close()
	}
	var stop atomic.Bool
	defer stopAfter(load.seconds, &stop)()
	var group sync.WaitGroup
	start := time.Now()
	for i := range links {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			request := fetchRequest{topic: load.topic, partition: int32(i % load.partitions), maxBytes: int32(load.maxBytes), maxWaitMs: 500, minBytes: 1}
			for n := int32(0); records.Load() < load.records && !stop.Load(); n++ {
				sent := time.Now()
				got, err := links[i].fetch(request, n)
				if err != nil {
					errors[i] = err
					return
				}
				latencies[i] = append(latencies[i], time.Since(sent))
				requests.Add(1)
				bytes.Add(int64(len(got.records)))
				request.offset, errors[i] = walk(got.records, request.offset, load.crc, func(_ []byte, count int) {
					records.Add(int64(count))
				})
				if errors[i] != nil {
					return
				}
				if request.offset >= got.highWatermark {
					request.offset = 0
				}
			}
		}(i)
	}
	group.Wait()
	took := time.Since(start)
	for _, err := range errors {
		if err != nil {
			return nil, err
		}
	}
	sums := result{"records": float64(records.Load()), "bytes": float64(bytes.Load()), "requests": float64(requests.Load()), "seconds": took.Seconds()}
	sums.latencies("", latencies...)
	return sums, nil
}
