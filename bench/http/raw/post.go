// One request over and over on each of some connections.
package main

import (
	"bytes"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

type postLoad struct {
	*load
	method, path, media, bodyFile, expect string
	count, connections                    int
	seconds                               float64
}

func (post *postLoad) run() {
	var body []byte
	if post.bodyFile != "" {
		content, err := os.ReadFile(post.bodyFile)
		if err != nil {
			fail(err.Error())
		}
		body = content
	}
	request := requestBytes(post.method, post.address, post.path, post.media, "application/json", body)
	lanes := make([][]time.Duration, post.connections)
	var received int64
	var lock sync.Mutex
	var all sync.WaitGroup
	start := time.Now()
	end := start.Add(time.Duration(post.seconds * float64(time.Second)))
	for lane := range lanes {
		all.Add(1)
		go func() {
			defer all.Done()
			answers := connect(post.load)
			defer answers.socket.Close()
			for time.Now().Before(end) {
				sent := time.Now()
				answer := answers.ask(request)
				lanes[lane] = append(lanes[lane], time.Since(sent))
				if bytes.Count(answer, []byte(post.expect)) < post.count {
					fail("Answered with " + string(answer[:min(len(answer), 400)]))
				}
			}
			lock.Lock()
			received += answers.received
			lock.Unlock()
		}()
	}
	all.Wait()
	seconds := time.Since(start).Seconds()
	var times []time.Duration
	for _, lane := range lanes {
		times = append(times, lane...)
	}
	sortTimes(times)
	report(map[string]float64{
		"requests": float64(len(times)), "seconds": seconds,
		"requestBytes": float64(len(request)), "answerBytes": float64(received) / float64(max(1, len(times))),
		"p50Us": quantile(times, 0.5), "p99Us": quantile(times, 0.99), "p999Us": quantile(times, 0.999),
	})
}

// A connection and what has come on it.
type answers struct {
	*load
	socket   net.Conn
	buffer   []byte
	filled   int
	received int64
}

func connect(load *load) *answers {
	socket, err := net.DialTimeout("tcp", load.address, load.patience)
	if err != nil {
		fail(err.Error())
	}
	return &answers{load: load, socket: socket, buffer: make([]byte, 1<<16)}
}

// Sends a request and gives the whole answer, which holds until the next one.
func (a *answers) ask(request []byte) []byte {
	if err := a.socket.SetDeadline(time.Now().Add(a.patience)); err != nil {
		fail(err.Error())
	}
	// A long body and an answer that comes while it is sent need both directions at once.
	if len(request) > 1<<16 {
		sent := make(chan error, 1)
		go func() { _, err := a.socket.Write(request); sent <- err }()
		answer := a.read()
		if err := <-sent; err != nil {
			fail(err.Error())
		}
		return answer
	}
	if _, err := a.socket.Write(request); err != nil {
		fail(err.Error())
	}
	return a.read()
}

func (a *answers) read() []byte {
	a.filled = 0
	for {
		if a.filled == len(a.buffer) {
			a.buffer = append(a.buffer, make([]byte, len(a.buffer))...)
		}
		count, err := a.socket.Read(a.buffer[a.filled:])
		if err != nil {
			fail("The connection broke off: " + err.Error())
		}
		a.filled += count
		a.received += int64(count)
		if isWhole(a.buffer[:a.filled]) {
			break
		}
	}
	answer := a.buffer[:a.filled]
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 200")) {
		fail("Answered with " + string(answer[:min(len(answer), 400)]))
	}
	return answer
}

var headEnd = []byte("\r\n\r\n")

// Whether an answer has come to its end: by its length, or by its last chunk.
func isWhole(answer []byte) bool {
	end := bytes.Index(answer, headEnd)
	if end == -1 {
		return false
	}
	head := bytes.ToLower(answer[:end])
	if at := bytes.Index(head, []byte("content-length: ")); at != -1 {
		digits := head[at+len("content-length: "):]
		if stop := bytes.IndexByte(digits, '\r'); stop != -1 {
			digits = digits[:stop]
		}
		length, err := strconv.Atoi(string(bytes.TrimSpace(digits)))
		if err != nil {
			fail(err.Error())
		}
		return len(answer) >= end+len(headEnd)+length
	}
	return bytes.HasSuffix(answer, []byte("\r\n0\r\n\r\n"))
}
