// One record at a time: from its sending to the acknowledgement, and to a consumer whose fetch waits for it.
package main

import (
	"fmt"
	"time"
)

func runLatency(load produceLoad, warmup int) (result, error) {
	producer, err := dial(load.bootstrap)
	if err != nil {
		return nil, err
	}
	consumer, err := dial(load.bootstrap)
	if err != nil {
		return nil, err
	}
	sample := newBatch(load.recordBytes, load.batchBytes)
	frame := newProduceFrame(load.topic, int16(load.acks), 1, sample)
	request := fetchRequest{topic: load.topic, maxBytes: 1 << 20, maxWaitMs: 0, minBytes: 0}
	first, err := consumer.fetch(request, 0)
	if err != nil {
		return nil, err
	}
	request.offset, request.maxWaitMs, request.minBytes = first.highWatermark, 20000, 1
	count := int(load.records)
	acks, ends := make([]time.Duration, 0, count), make([]time.Duration, 0, count)
	start := time.Now()
	for i := -warmup; i < count; i++ {
		correlation := int32(i + warmup + 1)
		if _, err = consumer.socket.Write(request.frame(correlation)); err != nil {
			return nil, err
		}
		frame.address(correlation, 0, 1)
		// The fetch has to wait already when the record comes, as a consumer's would.
		time.Sleep(200 * time.Microsecond)
		if i == 0 {
			start = time.Now()
		}
		sent := time.Now()
		if _, err = producer.socket.Write(frame.bytes); err != nil {
			return nil, err
		}
		acknowledged := make(chan error, 1)
		var ack time.Duration
		go func() {
			answer, err := producer.read()
			ack = time.Since(sent)
			if err == nil {
				err = checkProduced(answer, correlation)
			}
			acknowledged <- err
		}()
		answer, err := consumer.read()
		end := time.Since(sent)
		if err != nil {
			return nil, err
		}
		if err = <-acknowledged; err != nil {
			return nil, err
		}
		got, err := readFetched(answer, correlation)
		if err != nil {
			return nil, err
		}
		next, err := walk(got.records, request.offset, true, func([]byte, int) {})
		if err != nil {
			return nil, err
		}
		if next != request.offset+int64(sample.records) {
			return nil, fmt.Errorf("the record at offset %d did not come", request.offset)
		}
		request.offset = next
		if i >= 0 {
			acks, ends = append(acks, ack), append(ends, end)
		}
	}
	sums := result{"records": float64(count * sample.records), "requests": float64(2 * count), "seconds": time.Since(start).Seconds(), "bytes": float64(count * len(sample.bytes))}
	sums.latencies("", ends)
	sums.latencies("ack", acks)
	return sums, nil
}
