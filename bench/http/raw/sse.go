// Many tails of one topic, and the time from the produce of a record until each of them has it.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

type sseLoad struct {
	*load
	tailPath, producePath string
	tails, events, warmup int
	pause                 time.Duration
	poll                  int
	// What each tail has sent of an event that is not whole yet, by descriptor.
	rests map[int32][]byte
	got   map[int32]int
	bytes int64
}

func (sse *sseLoad) run() {
	poll, err := syscall.EpollCreate1(0)
	if err != nil {
		fail(err.Error())
	}
	sse.poll = poll
	sse.rests = make(map[int32][]byte, sse.tails)
	sse.got = make(map[int32]int, sse.tails)
	sse.open()
	// Whoever started us looks at the other side's memory with and without tails.
	fmt.Println("connected")
	input := bufio.NewScanner(os.Stdin)
	input.Scan()
	producer := connect(sse.load)
	for number := 0; number < sse.warmup; number++ {
		sse.round(producer, number)
	}
	before := sse.bytes
	fmt.Println("warm")
	input.Scan()
	var all, last []time.Duration
	start := time.Now()
	for number := sse.warmup; number < sse.warmup+sse.events; number++ {
		times := sse.round(producer, number)
		sortTimes(times)
		all = append(all, times...)
		last = append(last, times[len(times)-1])
	}
	seconds := time.Since(start).Seconds()
	sortTimes(all)
	sortTimes(last)
	report(map[string]float64{
		"requests": float64(sse.events), "events": float64(len(all)), "seconds": seconds,
		"bytesPerEvent": float64(sse.bytes-before) / float64(len(all)),
		"p50Us":         quantile(all, 0.5), "p99Us": quantile(all, 0.99), "p999Us": quantile(all, 0.999),
		"lastP50Us": quantile(last, 0.5),
	})
	input.Scan()
}

// Connects every tail, and waits until each of them has had the head of its answer and its first event.
func (sse *sseLoad) open() {
	request := requestBytes("GET", sse.address, sse.tailPath, "", "text/event-stream", nil)
	for number := 0; number < sse.tails; number++ {
		tail := connect(sse.load)
		raw, err := tail.socket.(interface {
			SyscallConn() (syscall.RawConn, error)
		}).SyscallConn()
		if err != nil {
			fail(err.Error())
		}
		if _, err := tail.socket.Write(request); err != nil {
			fail(err.Error())
		}
		tail.socket.SetReadDeadline(time.Now().Add(sse.patience))
		head := ""
		for !strings.Contains(head, "\r\n\r\n") || !strings.Contains(head, "\n\n") {
			count, err := tail.socket.Read(tail.buffer)
			if err != nil {
				fail("A tail broke off: " + err.Error())
			}
			head += string(tail.buffer[:count])
		}
		if !strings.HasPrefix(head, "HTTP/1.1 200") {
			fail("A tail was answered with " + head[:min(len(head), 400)])
		}
		// A descriptor of our own: from here on it is read by one loop, without a goroutine for each.
		raw.Control(func(handle uintptr) {
			own, err := syscall.Dup(int(handle))
			if err != nil {
				fail(err.Error())
			}
			syscall.SetNonblock(own, true)
			event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(own)}
			if err := syscall.EpollCtl(sse.poll, syscall.EPOLL_CTL_ADD, own, &event); err != nil {
				fail(err.Error())
			}
			sse.rests[event.Fd] = nil
		})
		tail.socket.Close()
	}
}

// Produces one record; the times until each tail had it.
func (sse *sseLoad) round(producer *answers, number int) []time.Duration {
	time.Sleep(sse.pause)
	value := fmt.Sprintf(`{"records":[{"value":{"n":"<%d>","text":"%s"}}]}`, number, strings.Repeat("x", 80))
	request := requestBytes("POST", sse.address, sse.producePath, "application/json", "application/json", []byte(value))
	mark := []byte(fmt.Sprintf("<%d>", number))
	times := make([]time.Duration, 0, sse.tails)
	produced := make(chan struct{})
	start := time.Now()
	go func() { producer.ask(request); close(produced) }()
	for len(times) < sse.tails {
		if time.Since(start) > sse.patience {
			fail(fmt.Sprintf("Record %d has reached %d of %d tails only", number, len(times), sse.tails))
		}
		times = sse.take(mark, number, start, times)
	}
	<-produced
	return times
}

var (
	events [256]syscall.EpollEvent
	buffer [1 << 16]byte
)

// Reads whatever has come; adds a time for each tail that now has the record.
func (sse *sseLoad) take(mark []byte, number int, start time.Time, times []time.Duration) []time.Duration {
	ready, err := syscall.EpollWait(sse.poll, events[:], 1000)
	if err != nil && err != syscall.EINTR {
		fail(err.Error())
	}
	for index := 0; index < ready; index++ {
		tail := events[index].Fd
		count, err := syscall.Read(int(tail), buffer[:])
		if err == syscall.EAGAIN {
			continue
		}
		if err != nil || count <= 0 {
			fail(fmt.Sprintf("A tail broke off within record %d", number))
		}
		sse.bytes += int64(count)
		text := buffer[:count]
		if rest := sse.rests[tail]; len(rest) > 0 {
			text = append(rest, text...)
		}
		if bytes.Contains(text, mark) {
			if sse.got[tail] == number+1 {
				fail(fmt.Sprintf("A tail got record %d twice", number))
			}
			sse.got[tail] = number + 1
			times = append(times, time.Since(start))
			sse.rests[tail] = nil
		} else {
			sse.rests[tail] = append([]byte(nil), text...)
		}
	}
	return times
}
